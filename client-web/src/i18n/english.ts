import { gather, type Texts } from "./gather";

/** All texts in English: one file in `en/` per area. */
export const english = gather(import.meta.glob<{ default: Texts }>("./en/*.ts", { eager: true }));
