import { expect, it } from "vitest";

import { isolated } from "./direction";

const hebrew = "\u05e9\u05dc\u05d5\u05dd";

it("a name that is written the other way keeps to itself", () => {
  expect(isolated(hebrew, "ltr")).toBe(`\u2068${hebrew}\u2069`);
  expect(isolated("Ben", "rtl")).toBe("\u2068Ben\u2069");
});

it("a name that is written as the page is stays as it is", () => {
  expect(isolated("Ben", "ltr")).toBe("Ben");
  expect(isolated("Ben", "")).toBe("Ben");
  expect(isolated(hebrew, "rtl")).toBe(hebrew);
});
