import { expect, test } from "vitest";

import { around, marked } from "./Marked";

const hits = (text: string, words: string[]) =>
  marked(text, words)
    .filter((part) => part.hit)
    .map((part) => part.text);

test("words are marked where they begin, as they stand there", () => {
  expect(hits("Roses are red, prose is not", ["rose"])).toEqual(["Rose"]);
  expect(hits("The Roses", ["rose", "roses"])).toEqual(["Roses"]);
  expect(marked("nothing", []).map((part) => part.text)).toEqual(["nothing"]);
  expect(hits("東京に行く", ["行"])).toEqual(["行"]);
});

test("all parts together are the text", () => {
  const text = "a <b>rose</b> & a ROSE";
  expect(
    marked(text, ["rose"])
      .map((part) => part.text)
      .join(""),
  ).toBe(text);
});

test("a long text is shown around what was found", () => {
  const text = `${"word ".repeat(100)}needle ${"word ".repeat(100)}`;
  const shown = around(text, ["needle"]);
  expect(shown).toContain("needle");
  expect(shown.startsWith("…")).toBe(true);
  expect(shown.length).toBeLessThan(230);
  expect(around("short  text", [])).toBe("short text");
});
