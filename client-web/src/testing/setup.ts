import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

import { moreTexts, startTexts } from "../i18n";

startTexts();
await moreTexts();

// jsdom has none; what is tried without a page needs none.
if (typeof window !== "undefined") {
  window.matchMedia = (query) =>
    ({
      matches: false,
      media: query,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    }) as unknown as MediaQueryList;
}

// Some tests have no page.
if (typeof Element !== "undefined") Element.prototype.scrollIntoView = () => undefined;

afterEach(cleanup);
