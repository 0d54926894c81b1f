import { expect, test } from "vitest";

import { plainName } from "./fileNames";

test("a name is read as it is: nothing in it turns it around, or is not seen", () => {
  expect(plainName("invoice\u202efdp.exe")).toBe("invoicefdp.exe");
  expect(plainName("\u2067report\u2069\u200b.pdf\n")).toBe("report.pdf");
  expect(plainName("חשבונית 12.pdf")).toBe("חשבונית 12.pdf");
  expect(plainName("Entwurf – 👩🏽‍🚀 می‌خواهم.png")).toBe("Entwurf – 👩🏽‍🚀 می‌خواهم.png");
});
