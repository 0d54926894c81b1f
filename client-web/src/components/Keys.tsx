import Box from "@mui/material/Box";

/** Keys as they are printed on a keyboard: `Ctrl+K`. */
export function Keys({ keys }: { keys: string }) {
  return (
    <Box component="span" sx={{ display: "inline-flex", gap: "3px", whiteSpace: "nowrap" }}>
      {(keys === "+" ? [keys] : keys.split("+")).map((key, at) => (
        <Box
          component="kbd"
          key={`${key}${String(at)}`}
          sx={{
            fontFamily: "inherit",
            fontSize: "0.6875rem",
            fontWeight: 600,
            lineHeight: "18px",
            minWidth: 20,
            px: "5px",
            textAlign: "center",
            borderRadius: "5px",
            border: 1,
            borderColor: "divider",
            bgcolor: "surface.code",
            color: "text.secondary",
          }}
        >
          {key}
        </Box>
      ))}
    </Box>
  );
}
