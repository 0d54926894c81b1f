import IconButton, { type IconButtonProps } from "@mui/material/IconButton";
import Tooltip from "@mui/material/Tooltip";
import type { ReactNode } from "react";

interface Props extends Omit<IconButtonProps, "aria-label"> {
  /** What it does, said and shown. */
  label: string;
  /** Keys that do the same, shown beside the label. */
  keys?: string;
  children: ReactNode;
}

/** A button that is only an icon: named for screen readers and, in a tooltip, for everybody. */
export function IconAction({ label, keys, children, ...button }: Props) {
  return (
    <Tooltip title={keys ? `${label}  (${keys})` : label} describeChild={false}>
      <IconButton
        size="small"
        {...button}
        aria-label={label}
        sx={{ width: 36, height: 36, "@media (pointer: coarse)": { width: 44, height: 44 }, ...button.sx }}
      >
        {children}
      </IconButton>
    </Tooltip>
  );
}
