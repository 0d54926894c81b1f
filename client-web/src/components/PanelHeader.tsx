import ArrowBackIcon from "@mui/icons-material/ArrowBack";
import CloseIcon from "@mui/icons-material/Close";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";

import { useEffect, useRef } from "react";

import { IconAction } from "./IconAction";

interface Props {
  readonly title: string;
  /** What the button that closes the panel is called. */
  readonly closeLabel: string;
  readonly onClose: () => void;
  /** Where it was opened from within the panel. */
  readonly back?: { readonly label: string; readonly go: () => void };
  /** The panel takes the focus when it opens. */
  readonly takesFocus?: boolean;
}

/** The top of a panel beside a conversation. Escape closes the panel. */
export function PanelHeader({ title, closeLabel, onClose, back, takesFocus = false }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takesFocus) heading.current?.focus({ preventScroll: true });
  }, [takesFocus, title]);
  return (
    <Box
      sx={(theme) => ({
        display: "flex",
        alignItems: "center",
        height: theme.measures.bar,
        flex: "none",
        paddingInlineStart: back ? 1 : 2,
        gap: 0.5,
        paddingInlineEnd: 1,
        borderBottom: 1,
        borderColor: "divider",
      })}
    >
      {back && (
        <IconAction label={back.label} onClick={back.go}>
          <ArrowBackIcon className="pointing" fontSize="small" />
        </IconAction>
      )}
      <Typography
        variant="h2"
        ref={heading}
        tabIndex={-1}
        sx={{ flex: 1, borderRadius: "4px", "&:focus-visible": { outline: "none" } }}
      >
        {title}
      </Typography>
      <IconAction label={closeLabel} onClick={onClose}>
        <CloseIcon fontSize="small" />
      </IconAction>
    </Box>
  );
}
