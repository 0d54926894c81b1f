import { fileURLToPath } from "node:url";

import type { Plugin } from "vite";

const ours = (file: string) => fileURLToPath(new URL(`../src/matrix/${file}`, import.meta.url));
const homoglyphs = ours("homoglyphs.ts");
const withoutCalls = ours("without-calls.ts");

const withoutParts = ours("without-parts.ts");

/** What the SDK's client imports and this one never uses. */
const UNUSED = /^\.\/(sliding-sync-sdk|models\/MSC3089TreeSpace)\.js$/;

/** What the SDK's client imports for calls. */
const CALLS =
  /^\.\/(webrtc\/(call|callEventHandler|groupCallEventHandler|groupCall|mediaHandler)|matrixrtc\/MatrixRTCSessionManager)\.js$/;

/** Where the SDK makes an object for each event, room and member. */
const FIELDS_OF = /matrix-js-sdk\/lib\/(models\/|sync|store\/|client\.js)/;
/** How it was compiled to set a field: by a call for each, which takes longer than all else that making an event does. */
const FIELD = /(?<=^\s*)_defineProperty\(this, "(\w+)", /gm;

/**
 * Makes matrix-js-sdk lighter: its modules do nothing by being imported, so what nobody uses is left out; its calls, which are
 * switched off, are left out too, as are sliding sync and trees of files; and the table of signs that look alike is loaded when a name needs it.
 */
export function leanSdk(): Plugin {
  return {
    name: "orvale-lean-sdk",
    enforce: "pre",
    async resolveId(source, importer, options) {
      if (source === "unhomoglyph" && importer?.includes("matrix-js-sdk")) return homoglyphs;
      if (importer?.endsWith("matrix-js-sdk/lib/client.js") && CALLS.test(source)) return withoutCalls;
      if (importer?.endsWith("matrix-js-sdk/lib/client.js") && UNUSED.test(source)) return withoutParts;
      if (!/matrix-(js|events)-sdk/.test(importer ?? "") && !source.startsWith("matrix-js-sdk")) return null;
      const found = await this.resolve(source, importer, { ...options, skipSelf: true });
      if (!/matrix-(js|events)-sdk/.test(found?.id ?? "")) return found;
      return found && { ...found, moduleSideEffects: false };
    },
    transform(code, id) {
      if (!FIELDS_OF.test(id)) return null;
      return { code: code.replace(FIELD, "this.$1 = ("), map: null };
    },
  };
}
