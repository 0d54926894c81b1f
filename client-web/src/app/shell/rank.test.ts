import { expect, test } from "vitest";

import { rank } from "./rank";

const names = (wanted: string) =>
  rank(
    [
      { name: "Elif Yılmaz" },
      { name: "general" },
      { name: "Help desk" },
      { name: "Gene pool" },
      { name: "Theme: Dark" },
    ],
    wanted,
  ).map(({ name }) => name);

test("the beginning of a name is better than its middle", () => {
  expect(names("gen")[0]).toBe("general");
  expect(names("desk")).toEqual(["Help desk"]);
});

test("accents and dots do not matter", () => {
  expect(names("yil")).toEqual(["Elif Yılmaz"]);
});

test("letters in order with gaps are found last", () => {
  expect(names("hd")).toEqual(["Help desk", "Theme: Dark"]);
  expect(names("xyz")).toEqual([]);
});
