import { fileURLToPath } from "node:url";

/** Packages that a file of ours stands in for, which says why. */
export const standIns = {
  "react-i18next": fileURLToPath(new URL("../src/i18n/useTranslation.ts", import.meta.url)),
};
