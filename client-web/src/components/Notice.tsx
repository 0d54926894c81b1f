import DoneIcon from "@mui/icons-material/CheckCircleOutlined";
import FailedIcon from "@mui/icons-material/ErrorOutlineOutlined";
import Box from "@mui/material/Box";
import { useEffect } from "react";
import { createPortal } from "react-dom";

import { useSeen } from "./Announcer";

/** So long a sentence is shown, in ms; a failure longer, for it says why. */
const SHOWN = { done: 4_000, failure: 10_000 };

/**
 * How the last action went, for a while, above where one writes: for who looks, for who listens is told by the `Announcer`. A press
 * takes it away.
 */
export function Notice() {
  const [seen, unshow] = useSeen();
  useEffect(() => {
    if (!seen) return;
    const timer = setTimeout(unshow, seen.failure ? SHOWN.failure : SHOWN.done);
    return () => clearTimeout(timer);
  }, [seen, unshow]);
  if (!seen) return null;
  const Icon = seen.failure ? FailedIcon : DoneIcon;
  return createPortal(
    <Box
      aria-hidden
      data-notice
      onClick={unshow}
      sx={{
        position: "fixed",
        zIndex: "snackbar",
        bottom: "calc(88px + env(safe-area-inset-bottom))",
        insetInline: 16,
        marginInline: "auto",
        width: "fit-content",
        maxWidth: 480,
        display: "flex",
        alignItems: "flex-start",
        gap: 1,
        px: 1.5,
        py: 1,
        borderRadius: "10px",
        typography: "body2",
        overflowWrap: "anywhere",
        cursor: "default",
        bgcolor: "surface.raised",
        color: "text.primary",
        border: 1,
        borderColor: "border.control",
        boxShadow: "0 6px 24px rgba(0, 0, 0, 0.22)",
      }}
    >
      <Icon
        sx={{ fontSize: 18, mt: "1px", flex: "none", color: seen.failure ? "dangerText" : "success.main" }}
      />
      {seen.text}
    </Box>,
    document.body,
  );
}
