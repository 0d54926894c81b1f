import { expect, test } from "vitest";

import { regional } from "./times";

test("times are written as in the person's country, where that speaks the language of the page", () => {
  expect(regional("en", ["en-GB", "en"])).toBe("en-GB");
  expect(regional("de", ["en-GB", "de-AT", "de"])).toBe("de-AT");
  expect(regional("de", ["en-GB"])).toBe("de");
  expect(regional("en", ["eng-XX"])).toBe("en");
});
