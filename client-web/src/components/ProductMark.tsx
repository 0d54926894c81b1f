import Box from "@mui/material/Box";

/** The mark of the product. */
export function ProductMark({ size = 28 }: { size?: number }) {
  return (
    <Box
      component="svg"
      viewBox="0 0 32 32"
      aria-hidden
      sx={{ width: size, height: size, flex: "none", color: "primary.main", display: "block" }}
    >
      <rect width="32" height="32" rx="9" fill="currentColor" />
      <Box
        component="path"
        d="M16 7.5c5.1 0 9 3.4 9 7.9s-3.900 7.9-9 7.9c-.9 0-1.8-.1-2.6-.3l-4.600 2.300c-.6.3-1.2-.3-1-.9l1.1-3.7C7.700 19.3 7 17.4 7 15.4c0-4.500 3.900-7.9 9-7.9Z"
        sx={{ fill: (theme) => theme.palette.primary.contrastText }}
      />
      <circle cx="16" cy="15.4" r="3.4" fill="currentColor" />
    </Box>
  );
}
