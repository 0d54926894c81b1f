import { gather, type Texts } from "./gather";

/** All texts in German: one file in `de/` and `de/later/` per area. */
export const german = gather(
  import.meta.glob<{ default: Texts }>(["./de/*.ts", "./de/later/*.ts"], { eager: true }),
);
