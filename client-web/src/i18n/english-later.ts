import { gather, type Texts } from "./gather";

/** Texts in English that only parts loaded later need: one file in `en/later/` per area. */
export const englishLater = gather(import.meta.glob<{ default: Texts }>("./en/later/*.ts", { eager: true }));
