import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

interface Props {
  icon?: ReactNode;
  title: string;
  text?: string;
  /** What one can do about it. */
  actions?: ReactNode;
  /** A level below the page's heading. */
  level?: 1 | 2;
}

/** A place with nothing in it yet, or that could not be loaded: what it is and what to do. */
export function EmptyState({ icon, title, text, actions, level = 2 }: Props) {
  return (
    <Box
      sx={{
        flex: 1,
        display: "flex",
        flexDirection: "column",
        alignItems: "center",
        justifyContent: "center",
        textAlign: "center",
        gap: 1,
        p: 3,
        minHeight: 0,
      }}
    >
      {icon && (
        <Box
          aria-hidden
          sx={{
            width: 56,
            height: 56,
            mb: 1,
            borderRadius: "16px",
            display: "grid",
            placeItems: "center",
            bgcolor: "surface.selected",
            color: "accentText",
          }}
        >
          {icon}
        </Box>
      )}
      <Typography variant="h2" component={level === 1 ? "h1" : "h2"}>
        {title}
      </Typography>
      {text && (
        <Typography variant="body1" sx={{ color: "text.secondary", maxWidth: 440, textWrap: "balance" }}>
          {text}
        </Typography>
      )}
      {actions && (
        <Box sx={{ display: "flex", flexWrap: "wrap", justifyContent: "center", gap: 1, mt: 1.5 }}>
          {actions}
        </Box>
      )}
    </Box>
  );
}
