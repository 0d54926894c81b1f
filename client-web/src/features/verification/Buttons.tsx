import Box from "@mui/material/Box";
import type { ReactNode } from "react";

/** What one can do next, below what is said. */
export function Buttons({ children }: { children: ReactNode }) {
  return <Box sx={{ display: "flex", justifyContent: "flex-end", flexWrap: "wrap", gap: 1 }}>{children}</Box>;
}
