import Popover from "@mui/material/Popover";

import { EmojiPicker } from "./EmojiPicker";

export interface Props {
  anchor: HTMLElement | null;
  onPick: (emoji: string) => void;
  onClose: () => void;
}

/** The emoji picker beside what opened it. */
export function EmojiPanel({ anchor, onPick, onClose }: Props) {
  return (
    <Popover
      open={anchor !== null}
      anchorEl={anchor}
      onClose={onClose}
      anchorOrigin={{ vertical: "top", horizontal: "right" }}
      transformOrigin={{ vertical: "bottom", horizontal: "right" }}
      slotProps={{ paper: { sx: { width: 340, height: 380, overflow: "hidden" } } }}
    >
      <EmojiPicker
        onPick={(emoji) => {
          onPick(emoji);
          onClose();
        }}
      />
    </Popover>
  );
}
