// Which way the page is written. The language says so; whoever builds the pages can say otherwise, to see a mirrored one without
// knowing a language that is: `?rtl` in an address, or the switch in the gallery.

import { useSyncExternalStore } from "react";

/** From left to right, or from right to left. */
export type Direction = "ltr" | "rtl";

const listeners = new Set<() => void>();
let tried: Direction | null = new URLSearchParams(globalThis.location.search).has("rtl") ? "rtl" : null;

/** Writes the page this way until it is loaded again, whatever the language is; null goes by the language. */
export function tryDirection(direction: Direction | null): void {
  tried = direction;
  for (const listener of [...listeners]) listener();
}

/** The direction of a language, or the one that is tried. */
export function useDirection(ofLanguage: Direction): Direction {
  const now = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => tried,
  );
  return now ?? ofLanguage;
}

/** Letters written from right to left: Hebrew, Arabic and their relatives. */
const LEFTWARDS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;

/** A name for a sentence of the page: what is written the other way keeps to itself, and the sentence its order. */
export function isolated(name: string, page = globalThis.document.documentElement.dir): string {
  const other = page === "rtl" ? !LEFTWARDS.test(name) : LEFTWARDS.test(name);
  return other ? `\u2068${name}\u2069` : name;
}
