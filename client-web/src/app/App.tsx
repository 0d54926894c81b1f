import { BrowserRouter } from "react-router";

import { Announcer } from "../components/Announcer";
import { Notice } from "../components/Notice";
import { Tips } from "../components/Tips";
import { ErrorBoundary } from "./ErrorBoundary";
import { Providers } from "./providers";
import { AppRoutes } from "./routes";

/** The whole application. */
export function App() {
  return (
    <Providers>
      <ErrorBoundary>
        <BrowserRouter>
          <AppRoutes />
        </BrowserRouter>
      </ErrorBoundary>
      <Announcer />
      <Notice />
      <Tips />
    </Providers>
  );
}
