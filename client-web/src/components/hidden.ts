/** Not seen, but read by screen readers. */
export const hidden = {
  position: "absolute",
  // A bare 1 would be all of it.
  width: "1px",
  height: "1px",
  margin: "-1px",
  padding: 0,
  border: 0,
  overflow: "hidden",
  clipPath: "inset(50%)",
  whiteSpace: "nowrap",
} as const;
