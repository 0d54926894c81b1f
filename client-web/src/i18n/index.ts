import i18next, { type i18n } from "i18next";

import type { Direction } from "./direction";
import { english } from "./english";
import { forgetSaid } from "./useTranslation";

/** The languages of the interface, each under its own name. */
export const languages = {
  en: { name: "English", direction: "ltr" },
  de: { name: "Deutsch", direction: "ltr" },
} as const satisfies Record<string, { name: string; direction: Direction }>;

/** A language there are texts for. */
export type Language = keyof typeof languages;

/** The language to use for a choice: the first of the browser's that we have, where nothing was chosen. */
export function languageFor(
  chosen: Language | "auto",
  wished: readonly string[] = navigator.languages,
): Language {
  if (chosen !== "auto") return chosen;
  const known = wished
    .map((tag) => tag.split("-")[0])
    .find((tag): tag is Language => tag !== undefined && tag in languages);
  return known ?? "en";
}

/** Starts with English, which is part of the program; others are loaded when they are used. */
export function startTexts(): i18n {
  void i18next.init({
    lng: "en",
    fallbackLng: "en",
    // A copy of its areas: those that are loaded later are put beside them.
    resources: { en: { translation: { ...english } } },
    // React escapes.
    interpolation: { escapeValue: false },
    initAsync: false,
  });
  return i18next;
}

/** Brings the texts of parts that are loaded later. */
export async function moreTexts(): Promise<void> {
  const { englishLater } = await import("./english-later");
  i18next.addResourceBundle("en", "translation", englishLater, true, true);
  forgetSaid();
}

let germanThere = false;

/** Changes the language of everything on the screen. */
export async function speak(language: Language): Promise<void> {
  if (language === "de" && !germanThere) {
    const { german } = await import("./german");
    germanThere = true;
    // Beside what parts that were loaded later have brought already.
    i18next.addResourceBundle("de", "translation", german, true, true);
    forgetSaid();
  }
  // Whoever is told that the language is another draws all there is again.
  if (language === i18next.language) return;
  await i18next.changeLanguage(language);
}
