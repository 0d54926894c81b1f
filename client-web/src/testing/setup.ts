import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

import { startTexts } from "../i18n";

startTexts();

// jsdom has none.
window.matchMedia = (query) =>
  ({
    matches: false,
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }) as unknown as MediaQueryList;

afterEach(cleanup);
