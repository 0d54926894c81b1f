import { ThemeProvider } from "@mui/material/styles";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter } from "react-router";

import { themeFor } from "../theme/theme";

/** Draws a part of the application as the application would: theme, texts, an address. */
export function show(part: ReactNode, at = "/chat"): RenderResult {
  return render(part, {
    wrapper: ({ children }) => (
      <ThemeProvider theme={themeFor("light")}>
        <MemoryRouter initialEntries={[at]}>{children}</MemoryRouter>
      </ThemeProvider>
    ),
  });
}
