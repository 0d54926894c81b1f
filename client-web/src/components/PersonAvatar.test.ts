import { describe, expect, it } from "vitest";

import { initials, placeOf } from "./PersonAvatar";

const COLOURS = 16;

describe("the colour of a person", () => {
  it("does not change", () => {
    expect(placeOf("@ada:example.org", COLOURS)).toBe(placeOf("@ada:example.org", COLOURS));
  });

  it("is spread over the whole palette", () => {
    const people = Array.from({ length: 1600 }, (_, number) => `@person${String(number)}:example.org`);
    const used = new Map<number, number>();
    for (const id of people) used.set(placeOf(id, COLOURS), (used.get(placeOf(id, COLOURS)) ?? 0) + 1);
    expect(used.size).toBe(COLOURS);
    expect(Math.min(...used.values())).toBeGreaterThan(60);
    expect(Math.max(...used.values())).toBeLessThan(140);
  });

  it("is seldom shared by three of five", () => {
    const crowded = Array.from({ length: 500 }, (_, place) => {
      const five = Array.from({ length: 5 }, (_, who) =>
        placeOf(`@${"abcde".charAt(who)}${String(place)}:example.org`, COLOURS),
      );
      return Math.max(...five.map((colour) => five.filter((other) => other === colour).length));
    }).filter((most) => most >= 3).length;
    // By chance alone, one place in thirty.
    expect(crowded / 500).toBeLessThan(0.06);
  });
});

it("initials are those of the first and the last word", () => {
  expect(initials("Ines Castellanos-Aguirre")).toBe("IA");
  expect(initials("#general")).toBe("G");
});
