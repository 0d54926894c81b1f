import IconButton, { type IconButtonProps } from "@mui/material/IconButton";
import type { ReactNode } from "react";

interface Props extends Omit<IconButtonProps, "aria-label"> {
  /** What it does, said and shown. */
  label: string;
  /** Keys that do the same, shown beside the label. */
  keys?: string;
  children: ReactNode;
}

/** A button that is only an icon: named for screen readers and, in a tip (`Tips`), for everybody. */
export function IconAction({ label, keys, children, sx, ...button }: Props) {
  return (
    <IconButton
      size="small"
      {...button}
      aria-label={label}
      data-tip={keys ? `${label} (${keys})` : label}
      sx={[{ width: 36, height: 36 }, ...[sx ?? false].flat()]}
    >
      {children}
    </IconButton>
  );
}
