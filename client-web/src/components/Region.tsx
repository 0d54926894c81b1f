import Box, { type BoxProps } from "@mui/material/Box";

interface Props extends BoxProps {
  /** Its name for screen readers. */
  label: string;
  /** Where F6 and skip links lead. */
  region: string;
}

/** An area that F6 leads to. */
export function Region({ label, region, ...box }: Props) {
  return (
    <Box
      component="section"
      {...box}
      aria-label={label}
      data-region={region}
      id={`region-${region}`}
      tabIndex={-1}
      sx={{ "&:focus-visible": { outlineOffset: -2 }, ...box.sx }}
    />
  );
}
