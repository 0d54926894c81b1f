import Box from "@mui/material/Box";

interface Props {
  count: number;
  /** Somebody was named: louder. */
  loud?: boolean;
  /** For screen readers: "3 unread messages". */
  label: string;
}

/** How many are unread. */
export function CountBadge({ count, loud = false, label }: Props) {
  if (count <= 0) return null;
  return (
    <Box
      component="span"
      role="status"
      aria-live="off"
      aria-label={label}
      sx={{
        flex: "none",
        minWidth: 20,
        height: 18,
        px: "6px",
        borderRadius: "9px",
        display: "inline-flex",
        alignItems: "center",
        justifyContent: "center",
        fontSize: "0.6875rem",
        fontWeight: 700,
        fontVariantNumeric: "tabular-nums",
        bgcolor: loud ? "primary.main" : "text.secondary",
        color: loud ? "primary.contrastText" : "surface.sidebar",
      }}
    >
      {count > 99 ? "99+" : count}
    </Box>
  );
}
