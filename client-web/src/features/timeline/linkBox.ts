/** The room a link's preview takes, whatever is in it. */
export const linkBox = {
  display: "flex",
  width: 420,
  maxWidth: "100%",
  height: 84,
  my: 0.5,
  border: 1,
  borderColor: "divider",
  borderRadius: "10px",
  overflow: "hidden",
} as const;
