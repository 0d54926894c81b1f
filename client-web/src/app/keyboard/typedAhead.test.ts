import { afterEach, expect, it, vi } from "vitest";

import { holdTyping, takeTyped } from "./typedAhead";

const press = (key: string, more: KeyboardEventInit = {}) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  document.body.dispatchEvent(event);
  return event;
};

afterEach(() => {
  takeTyped();
});

it("holds back what is typed until the field takes it", () => {
  holdTyping(() => undefined);
  for (const key of ["d", "E", "x"]) expect(press(key).defaultPrevented).toBe(true);
  press("Backspace");
  press("Enter");
  expect(takeTyped()).toEqual({ text: "dE", entered: true });
  expect(press("s").defaultPrevented).toBe(false);
  expect(takeTyped()).toEqual({ text: "", entered: false });
});

it("leaves keys with a meaning of their own alone", () => {
  holdTyping(() => undefined);
  expect(press("k", { ctrlKey: true }).defaultPrevented).toBe(false);
  expect(press("Shift").defaultPrevented).toBe(false);
  expect(takeTyped().text).toBe("");
});

it("gives up with Escape, a press of the pointer, and when the field never comes", () => {
  const closed = vi.fn();
  holdTyping(closed);
  press("a");
  press("Escape");
  expect(closed).toHaveBeenCalledOnce();
  expect(press("b").defaultPrevented).toBe(false);

  holdTyping(closed);
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  expect(press("c").defaultPrevented).toBe(false);

  vi.useFakeTimers();
  holdTyping(closed);
  vi.advanceTimersByTime(10_000);
  expect(press("d").defaultPrevented).toBe(false);
  vi.useRealTimers();
});
