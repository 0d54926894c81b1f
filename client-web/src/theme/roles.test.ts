import { describe, expect, test } from "vitest";

import { contrast, fromOklch, toOklch } from "./colour";
import { readable } from "./readable";
import { pairsOf, rolesOf } from "./roles";
import { painted, type PaintedTheme, type Slots, themeNames, themes } from "./themes";

const all = Object.entries(themes) as [PaintedTheme, Slots][];

describe.each(all)("theme %s", (_, slots) => {
  const roles = rolesOf(slots);

  test("every pair of colours that meets on the screen has the contrast it needs", () => {
    const failing = pairsOf(roles, slots.highContrast)
      .filter(({ front, back, wanted }) => contrast(front, back) < wanted)
      .map(
        ({ name, front, back, wanted }) =>
          `${name}: ${front} on ${back} is ${contrast(front, back).toFixed(2)}, not ${wanted}`,
      );
    expect(failing).toEqual([]);
  });

  test("people without a picture can be told apart by their colours", () => {
    const lab = roles.avatar.fills
      .map(toOklch)
      .map(({ l, c, h }) => [l, c * Math.cos(h), c * Math.sin(h)] as const);
    const apart = lab.flatMap((one, place) =>
      lab.slice(place + 1).map((other) => Math.hypot(...one.map((part, axis) => part - (other[axis] ?? 0)))),
    );
    expect(Math.min(...apart)).toBeGreaterThan(0.05);
  });

  test("surfaces and readable colours are the ones given", () => {
    expect(roles.surface.sidebar).toBe(slots.sidebar);
    expect(roles.surface.input).toBe(slots.inputBg);
    expect(roles.border.subtle).toBe(slots.border);
  });
});

test("the message area of high contrast, white under white text, becomes black", () => {
  expect(rolesOf(themes.high_contrast).surface.messages).toBe("#000000");
  expect(rolesOf(themes.high_contrast).focus).toBe("#ffff00");
});

test("a corrected colour keeps its hue", () => {
  const accent = rolesOf(themes.light).text.accent;
  expect(accent).not.toBe(themes.light.accent);
  expect(Math.abs(toOklch(accent).h - toOklch(themes.light.accent).h)).toBeLessThan(0.1);
});

test("a colour that can be read is left as it is", () => {
  expect(readable("#212529", ["#ffffff"], 4.5)).toBe("#212529");
});

test("colours survive the way to OKLCH and back", () => {
  for (const slots of Object.values(themes)) {
    expect(fromOklch(toOklch(slots.accent))).toBe(slots.accent);
  }
});

test("there are nine themes, and auto follows the system", () => {
  expect(themeNames).toHaveLength(9);
  expect([painted("auto", true), painted("auto", false), painted("ocean", false)]).toEqual([
    "dark",
    "light",
    "ocean",
  ]);
});
