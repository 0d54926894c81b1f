import { expect, test } from "vitest";

import { pressed } from "./shortcuts";

const key = (init: KeyboardEventInit) => new KeyboardEvent("keydown", init);

test("keys are taken only with exactly their modifiers", () => {
  expect(pressed(key({ key: "k", ctrlKey: true }), "Mod+K")).toBe(true);
  expect(pressed(key({ key: "k", ctrlKey: true, shiftKey: true }), "Mod+K")).toBe(false);
  expect(pressed(key({ key: "k" }), "Mod+K")).toBe(false);
  expect(pressed(key({ key: "F6", shiftKey: true }), "Shift+F6")).toBe(true);
});

test("a slash that needs Shift is a slash", () => {
  expect(pressed(key({ key: "/", ctrlKey: true, shiftKey: true }), "Mod+/")).toBe(true);
});
