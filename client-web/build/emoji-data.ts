import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import type { Plugin } from "vite";

const folder = dirname(createRequire(import.meta.url).resolve("emojibase-data/package.json"));

/** The languages of the interface; emoji can be searched in each. */
const LOCALES = ["en", "de"];
const FILES = ["data.json", "messages.json"];

/** Names, keywords and groups of all emoji, served by ourselves below `/emoji/`, one folder per language. */
export function emojiData(): Plugin {
  return {
    name: "orvale-emoji-data",
    generateBundle() {
      for (const locale of LOCALES) {
        for (const file of FILES) {
          const source = readFileSync(join(folder, locale, file));
          this.emitFile({ type: "asset", fileName: `emoji/${locale}/${file}`, source });
        }
      }
    },
    configureServer(server) {
      server.middlewares.use("/emoji", (request, response, next) => {
        const path = join(folder, request.url ?? "");
        if (!path.startsWith(folder) || !existsSync(path)) return next();
        response.setHeader("content-type", "application/json");
        createReadStream(path).pipe(response);
      });
    },
  };
}
