import { expect, test } from "vitest";

import { fileName } from "../../matrix/gifs";
import { step } from "./GifPanel";

test("arrows lead through the rows, and stop at their ends", () => {
  expect(step("ArrowRight", 0, 5, false)).toBe(1);
  expect(step("ArrowDown", 1, 5, false)).toBe(3);
  expect(step("ArrowUp", 1, 5, false)).toBe(1);
  expect(step("End", 0, 5, false)).toBe(4);
  expect(step("Home", 3, 5, false)).toBe(0);
  expect(step("a", 3, 5, false)).toBeNull();
  expect(step("ArrowRight", 1, 5, true), "the other way round in a mirrored page").toBe(0);
});

test("a GIF is a file by the name of what it shows", () => {
  expect(fileName({ title: "A cat jumps" })).toBe("A cat jumps.gif");
  expect(fileName({ title: "../cat\u0000.GIF" })).toBe(".. cat.gif");
  expect(fileName({ title: "" })).toBe("GIF.gif");
});
