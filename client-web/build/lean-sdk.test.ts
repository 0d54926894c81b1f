// @vitest-environment node

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { leanSdk } from "./lean-sdk";

const transform = leanSdk().transform as (code: string, id: string) => { code: string } | null;
const event = fileURLToPath(new URL("../node_modules/matrix-js-sdk/lib/models/event.js", import.meta.url));

test("the SDK's events set their fields as the language has it, all of them", () => {
  const lean = transform(readFileSync(event, "utf8"), event)?.code ?? "";
  expect(lean).toMatch(/^\s*this\.pushDetails = \(/m);
  expect(lean).not.toContain("_defineProperty(this,");
});

test("other files stay as they are", () => {
  expect(transform('_defineProperty(this, "x", 1);', "/src/app/App.tsx")).toBeNull();
});
