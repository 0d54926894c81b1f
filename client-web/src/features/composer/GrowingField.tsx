import Box from "@mui/material/Box";
import type { SxProps, Theme } from "@mui/material/styles";
import type { ComponentProps } from "react";

/**
 * A field as high as what is written in it, up to a third of the window. A shadow of the text takes the room: nothing is measured, and
 * nothing around the field moves to and fro while one types.
 */
export function GrowingField({ value, ...field }: ComponentProps<"textarea"> & { value: string }) {
  return (
    <Box data-written={value} sx={grown}>
      <textarea rows={1} dir="auto" value={value} {...field} />
    </Box>
  );
}

const grown: SxProps<Theme> = (theme) => ({
  flex: 1,
  minWidth: 0,
  display: "grid",
  gridTemplateColumns: "minmax(0, 1fr)",
  "& > textarea, &::after": {
    ...theme.typography.body1,
    gridArea: "1 / 1",
    boxSizing: "border-box",
    width: "100%",
    minWidth: 0,
    maxHeight: "33dvh",
    margin: 0,
    border: 0,
    padding: "6px",
    fontFamily: theme.typography.fontFamily,
    fontSize: "max(0.9375rem, 15px)",
    whiteSpace: "pre-wrap",
    overflowWrap: "break-word",
    "@media (pointer: coarse)": { fontSize: "16px", paddingBlock: "10px" },
  },
  "& > textarea": {
    outline: "none",
    resize: "none",
    backgroundColor: "transparent",
    color: theme.palette.text.primary,
    // One line, whatever the language makes of it.
    "&:placeholder-shown": { whiteSpace: "nowrap", overflow: "hidden", textOverflow: "ellipsis" },
    "&::placeholder": { color: theme.palette.text.secondary, opacity: 1 },
  },
  // A line that was begun has a height before anything stands in it.
  "&::after": {
    content: 'attr(data-written) "\\200b"',
    visibility: "hidden",
    overflow: "hidden",
    pointerEvents: "none",
  },
});
