import i18next, { type i18n } from "i18next";
import { initReactI18next } from "react-i18next";

import { english } from "./english";

/** The languages of the interface, each under its own name. */
export const languages = {
  en: { name: "English", direction: "ltr" },
  de: { name: "Deutsch", direction: "ltr" },
} as const;

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
  void i18next.use(initReactI18next).init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: { translation: english } },
    // React escapes.
    interpolation: { escapeValue: false },
    initAsync: false,
  });
  return i18next;
}

/** Changes the language of everything on the screen. */
export async function speak(language: Language): Promise<void> {
  if (language === "de" && !i18next.hasResourceBundle("de", "translation")) {
    const { german } = await import("./german");
    i18next.addResourceBundle("de", "translation", german);
  }
  await i18next.changeLanguage(language);
}
