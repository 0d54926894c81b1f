import { expect, test } from "vitest";

import { parts } from "./FileName";

test("of a long name the middle may be missing, never its extension", () => {
  expect(parts("Minutes of the meeting, final.pdf")).toEqual(["Minutes of the meeting,", " final.pdf"]);
  expect(parts("a long name without any extension")).toEqual(["a long name without any ext", "ension"]);
  expect(parts("v1. what is behind that dot is a sentence")[1]).toBe("ntence");
  expect(parts("🎉".repeat(30) + ".png")[1]).toBe("🎉".repeat(6) + ".png");
});

test("a short name stays in one piece, and both parts together are the name", () => {
  expect(parts("short.zip")).toEqual(["short.zip", ""]);
  for (const name of [
    ".a-hidden-file-with-a-name",
    "two.dots.in.a.long.name.tar.gz",
    "no extension at all here",
  ])
    expect(parts(name).join("")).toBe(name);
});
