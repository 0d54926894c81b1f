import { gather, type Texts } from "./gather";

/** All texts in German: one file in `de/` per area. */
export const german = gather(import.meta.glob<{ default: Texts }>("./de/*.ts", { eager: true }));
