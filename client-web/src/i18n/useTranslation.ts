// Stands in for react-i18next (build/stand-ins.ts): its hook copies the whole library for each place that says something, and looks each word
// up anew each time. Who says nothing of numbers or names says the same until the language is another.

import i18next, { type i18n, type TFunction } from "i18next";
import { useSyncExternalStore } from "react";

interface Spoken {
  readonly t: TFunction;
  readonly i18n: i18n;
}

const listeners = new Set<() => void>();
let spoken: Spoken | null = null;
let said = new Map<string, string>();

function speaking(): Spoken {
  const full = i18next.getFixedT(i18next.language);
  const t = (key: string, ...more: unknown[]): string => {
    if (more.length > 0 || typeof key !== "string")
      return (full as unknown as (...all: unknown[]) => string)(key, ...more);
    let text = said.get(key);
    if (text === undefined) {
      text = full(key);
      said.set(key, text);
    }
    return text;
  };
  return { t: t as unknown as TFunction, i18n: i18next };
}

i18next.on("languageChanged", () => {
  spoken = null;
  said = new Map();
  for (const listener of [...listeners]) listener();
});

/** Words that came later may have been asked for before. */
export function forgetSaid(): void {
  said = new Map();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const get = (): Spoken => (spoken ??= speaking());

/** What says something in the language in use, drawn again when that is another. */
export function useTranslation(): Spoken {
  return useSyncExternalStore(subscribe, get);
}
