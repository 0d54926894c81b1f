import Close from "@mui/icons-material/Close";
import Box from "@mui/material/Box";
import Dialog, { type DialogProps } from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import { useTheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "./IconAction";

interface Props {
  title: string;
  onClose: () => void;
  width?: DialogProps["maxWidth"];
  actions?: ReactNode;
  /** Fills the dialog to its edges. */
  bare?: boolean;
  children: ReactNode;
}

/**
 * A dialog: over the page on a wide screen, the whole screen on a narrow one. It takes the focus, keeps it, and gives it back to
 * what had it before, or, where that is gone, to the conversation.
 */
export function Sheet({ title, onClose, width = "sm", actions, bare = false, children }: Props) {
  const { t } = useTranslation();
  const theme = useTheme();
  const narrow = useMediaQuery(theme.breakpoints.down("sm"));
  const titleId = useId();
  useFocusReturn();
  return (
    <Dialog
      open
      onClose={onClose}
      fullScreen={narrow}
      fullWidth
      maxWidth={width}
      aria-labelledby={titleId}
      transitionDuration={120}
      slotProps={{ paper: { sx: { maxHeight: { sm: "min(760px, 90dvh)" } } } }}
    >
      <Box
        sx={{
          display: "flex",
          alignItems: "center",
          paddingInlineEnd: 1.5,
          borderBottom: bare ? 1 : 0,
          borderColor: "divider",
        }}
      >
        <DialogTitle id={titleId} sx={{ flex: 1, minWidth: 0 }}>
          {title}
        </DialogTitle>
        <IconAction label={t("common.close")} onClick={onClose}>
          <Close fontSize="small" />
        </IconAction>
      </Box>
      {bare ? children : <DialogContent sx={{ px: 3, pt: "4px !important" }}>{children}</DialogContent>}
      {actions && <DialogActions>{actions}</DialogActions>}
    </Dialog>
  );
}

/** Where what had the focus is gone when the dialog closes, the next sensible place gets it: never the body. */
function useFocusReturn(): void {
  const opener = useRef(document.activeElement);
  useEffect(() => {
    const before = opener.current;
    return () => {
      setTimeout(() => {
        const lost = document.activeElement === document.body || document.activeElement === null;
        if (!lost) return;
        if (before instanceof HTMLElement && before !== document.body && before.isConnected) before.focus();
        else
          document
            .querySelector<HTMLElement>(
              "[data-region='composer'] [contenteditable], [data-region='composer'] textarea, [data-region]",
            )
            ?.focus();
      }, 0);
    };
  }, []);
}
