/** Where a poll stands, the same before and after it is loaded. */
export const pollBox = {
  border: 1,
  borderColor: "divider",
  borderRadius: "10px",
  p: 1.5,
  my: 0.5,
  width: 420,
  maxWidth: "100%",
} as const;
