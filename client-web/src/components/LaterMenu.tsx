import type { MenuProps } from "@mui/material/Menu";
import { Suspense } from "react";

import { later } from "../i18n/later";

const Menu = later(() => import("@mui/material/Menu").then((part) => part.default));

/** A menu, loaded with the first that is opened. */
export function LaterMenu(props: MenuProps) {
  if (!props.open) return null;
  return (
    <Suspense fallback={null}>
      <Menu {...props} />
    </Suspense>
  );
}
