// Styles for pages that are written from right to left: loaded by those who need it.

import createCache, { type EmotionCache } from "@emotion/cache";
import mirror from "stylis-plugin-rtl";

/** A cache that mirrors what it is given: what Material UI says of left and right as well. */
export function mirroredCache(options: { nonce?: string }): EmotionCache {
  return createCache({ key: "r", ...options, stylisPlugins: [mirror] });
}
