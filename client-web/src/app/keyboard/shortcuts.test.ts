import i18next from "i18next";
import { renderHook } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { speak } from "../../i18n";
import { defaults } from "../../preferences/preferences";
import { preferences } from "../../preferences/store";
import { pressed, useShortcuts, written } from "./shortcuts";

const key = (init: KeyboardEventInit) => new KeyboardEvent("keydown", init);

test("keys are taken only with exactly their modifiers", () => {
  expect(pressed(key({ key: "k", ctrlKey: true }), "Mod+K")).toBe(true);
  expect(pressed(key({ key: "k", ctrlKey: true, shiftKey: true }), "Mod+K")).toBe(false);
  expect(pressed(key({ key: "k" }), "Mod+K")).toBe(false);
  expect(pressed(key({ key: "F6", shiftKey: true }), "Shift+F6")).toBe(true);
});

test("keys are called what stands on the keyboards of the language", async () => {
  const { t } = i18next;
  expect(written("Mod+Shift+F", t)).toBe("Ctrl+Shift+F");
  await speak("de");
  expect(
    ["Mod+K", "Alt+Shift+ArrowUp", "Shift+Enter", "Home", "Del", "+", "Esc"].map((keys) => written(keys, t)),
  ).toEqual(["Strg+K", "Alt+Umschalt+↑", "Umschalt+Eingabe", "Pos1", "Entf", "+", "Esc"]);
  await speak("en");
});

test("a slash that needs Shift is a slash", () => {
  expect(pressed(key({ key: "/", ctrlKey: true, shiftKey: true }), "Mod+/")).toBe(true);
});

test("KEY-03: keys with Ctrl belong to the browser where somebody says so", () => {
  const act = vi.fn();
  renderHook(() => useShortcuts({ "Mod+F": act }));
  const press = () => {
    const event = new KeyboardEvent("keydown", { key: "f", ctrlKey: true, cancelable: true });
    dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(press()).toBe(true);
  preferences.try({ ...defaults, shortcuts: false });
  expect(press()).toBe(false);
  expect(act).toHaveBeenCalledTimes(1);
  preferences.try({});
});

test("KEY-03: what an action leaves alone goes to the browser", () => {
  renderHook(() => useShortcuts({ "Mod+F": () => false }));
  const event = new KeyboardEvent("keydown", { key: "f", ctrlKey: true, cancelable: true });
  dispatchEvent(event);
  expect(event.defaultPrevented).toBe(false);
});

test("KEY-04: while a character is being composed, keys belong to the input method", () => {
  const act = vi.fn();
  renderHook(() => useShortcuts({ "Mod+K": act }));
  dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, isComposing: true }));
  expect(act).not.toHaveBeenCalled();
});
