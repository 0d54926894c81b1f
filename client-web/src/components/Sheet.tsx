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
  /** A press beside it does not close it: what is in it takes effort to come back to. */
  firm?: boolean;
  /** Nothing in it can take the focus: it is scrolled by keys itself. */
  toRead?: boolean;
  children: ReactNode;
}

/**
 * A dialog: over the page on a wide screen; on a narrow one the whole screen, or, where there is little in it, a sheet at the lower
 * edge, where thumbs are. It takes the focus, keeps it, and gives it back to
 * what had it before, or, where that is gone, to the conversation. A field marked `data-first` gets the focus first.
 */
export function Sheet({
  title,
  onClose,
  width = "sm",
  actions,
  bare = false,
  firm = false,
  toRead = false,
  children,
}: Props) {
  const { t } = useTranslation();
  const theme = useTheme();
  const narrow = useMediaQuery(theme.breakpoints.down("sm"));
  const low = narrow && width === "xs";
  const titleId = useId();
  useFocusReturn();
  const paper = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Where one dialog takes the place of another, the first gives the focus back after the second has taken it.
    const timer = setTimeout(() => {
      paper.current?.querySelector<HTMLElement>("[data-first]")?.focus();
    }, 0);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Dialog
      open
      onClose={(_, why) => {
        if (!firm || why === "escapeKeyDown") onClose();
      }}
      fullScreen={narrow && !low}
      fullWidth
      maxWidth={width}
      aria-labelledby={titleId}
      transitionDuration={120}
      slotProps={{
        container: low ? { sx: { alignItems: "flex-end" } } : {},
        paper: { ref: paper, sx: low ? atTheEdge : { maxHeight: { sm: "min(760px, 90dvh)" } } },
      }}
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
        <DialogTitle id={titleId} sx={{ flex: 1, minWidth: 0, px: { xs: 2, sm: 3 }, hyphens: "auto" }}>
          {title}
        </DialogTitle>
        <IconAction label={t("common.close")} onClick={onClose}>
          <Close fontSize="small" />
        </IconAction>
      </Box>
      {bare ? (
        children
      ) : (
        <DialogContent
          {...(toRead && { tabIndex: 0, role: "group", "aria-labelledby": titleId })}
          sx={{ px: { xs: 2, sm: 3 }, pt: "4px !important", "&:focus-visible": { outlineOffset: -2 } }}
        >
          {children}
        </DialogContent>
      )}
      {actions && <DialogActions>{actions}</DialogActions>}
    </Dialog>
  );
}

const atTheEdge = {
  m: 0,
  width: "100%",
  maxWidth: "100% !important",
  maxHeight: "calc(100dvh - 56px)",
  borderBottomLeftRadius: 0,
  borderBottomRightRadius: 0,
  borderWidth: "1px 0 0",
  pb: "env(safe-area-inset-bottom)",
} as const;

/** What had the focus last on the page itself, outside of menus and dialogs: a dialog chosen from a menu goes back to there. */
let lastOnPage: HTMLElement | null = null;
if (typeof document !== "undefined")
  document.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLElement && !target.closest("[role='dialog'], [role='menu'], .MuiModal-root"))
      lastOnPage = target;
  });

/** Where what had the focus is gone when the dialog closes, the next sensible place gets it: never the body. */
function useFocusReturn(): void {
  const opener = useRef(document.activeElement);
  useEffect(() => {
    const before = opener.current;
    return () => {
      setTimeout(() => {
        const now = document.activeElement;
        if (now !== null && now !== document.body && !now.matches(".MuiModal-root")) return;
        // Of the dialogs below, which hide the page, the uppermost.
        const below = [...document.querySelectorAll("[role='dialog']")].at(-1);
        const places = below
          ? [before, below.querySelector("[role='tabpanel']") ?? below]
          : [before, lastOnPage];
        const there = places.find(
          (place) => place instanceof HTMLElement && place !== document.body && place.isConnected,
        );
        if (there instanceof HTMLElement) there.focus();
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
