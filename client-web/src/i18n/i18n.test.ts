import i18next from "i18next";
import { expect, test, vi } from "vitest";

import { languageFor, speak } from ".";
import { english as first } from "./english";
import { englishLater } from "./english-later";
import type { Texts } from "./gather";
import { german } from "./german";

function keysOf(texts: Texts, above = ""): string[] {
  return Object.entries(texts).flatMap(([key, text]) =>
    typeof text === "string" ? [above + key] : keysOf(text, `${above}${key}.`),
  );
}

const english: Texts = { ...first, ...englishLater };

const sources = import.meta.glob<string>("../**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});

test("no area is in both halves, where one would hide the other", () => {
  expect(Object.keys(first).filter((area) => area in englishLater)).toEqual([]);
});

test("every text exists in both languages", () => {
  const [en, de] = [keysOf(english), keysOf(german)].map((keys) => keys.sort());
  expect(de).toEqual(en);
});

test("every text that a component asks for exists", () => {
  const known = new Set(keysOf(english).map((key) => key.replace(/_(one|other)$/, "")));
  const missing: string[] = [];
  for (const [file, source] of Object.entries(sources)) {
    if (file.includes(".test.")) continue;
    for (const [, key] of source.matchAll(/\bt\(\s*"([a-z][\w.]*)"/g)) {
      if (key && !known.has(key)) missing.push(`${file}: ${key}`);
    }
  }
  expect(missing).toEqual([]);
});

test("the browser's languages decide where nothing was chosen", () => {
  expect(languageFor("auto", ["fr-FR", "de-AT", "en"])).toBe("de");
  expect(languageFor("auto", ["fr"])).toBe("en");
  expect(languageFor("en", ["de"])).toBe("en");
});

test("nothing is drawn again because the page goes on speaking the language it speaks", async () => {
  await speak("de");
  const changed = vi.fn();
  i18next.on("languageChanged", changed);
  await speak("de");
  expect(changed).not.toHaveBeenCalled();
  await speak("en");
  expect(changed).toHaveBeenCalledOnce();
  i18next.off("languageChanged", changed);
});
