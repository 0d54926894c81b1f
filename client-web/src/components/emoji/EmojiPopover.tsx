import Popover from "@mui/material/Popover";
import { lazy, Suspense } from "react";

const EmojiPicker = lazy(() => import("./EmojiPicker").then((part) => ({ default: part.EmojiPicker })));

interface Props {
  anchor: HTMLElement | null;
  onPick: (emoji: string) => void;
  onClose: () => void;
}

/** The emoji picker beside what opened it; loaded with its first opening. */
export function EmojiPopover({ anchor, onPick, onClose }: Props) {
  return (
    <Popover
      open={anchor !== null}
      anchorEl={anchor}
      onClose={onClose}
      anchorOrigin={{ vertical: "top", horizontal: "right" }}
      transformOrigin={{ vertical: "bottom", horizontal: "right" }}
      slotProps={{ paper: { sx: { width: 340, height: 380, overflow: "hidden" } } }}
    >
      <Suspense fallback={null}>
        <EmojiPicker
          onPick={(emoji) => {
            onPick(emoji);
            onClose();
          }}
        />
      </Suspense>
    </Popover>
  );
}
