import { fileURLToPath } from "node:url";

import type { Plugin } from "vite";

const homoglyphs = fileURLToPath(new URL("../src/matrix/homoglyphs.ts", import.meta.url));

/**
 * Makes matrix-js-sdk lighter: its modules do nothing by being imported, so what nobody uses is left out; and the table of signs
 * that look alike is loaded when a name needs it.
 */
export function leanSdk(): Plugin {
  return {
    name: "orvale-lean-sdk",
    enforce: "pre",
    async resolveId(source, importer, options) {
      if (source === "unhomoglyph" && importer?.includes("matrix-js-sdk")) return homoglyphs;
      if (!importer?.includes("matrix-js-sdk") && !source.startsWith("matrix-js-sdk")) return null;
      const found = await this.resolve(source, importer, { ...options, skipSelf: true });
      if (!found?.id.includes("matrix-js-sdk")) return found;
      return { ...found, moduleSideEffects: false };
    },
  };
}
