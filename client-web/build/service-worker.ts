import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import ts from "typescript";
import type { Plugin } from "vite";

const SOURCE = fileURLToPath(new URL("../src/worker/worker.ts", import.meta.url));

/** Kept from the first visit on: what the program is made of. What is large or rare is kept when it is used. */
const KEPT = /^(assets\/.*\.(js|css)|assets\/inter-latin-wght-normal.*\.woff2|sounds\/.*|favicon.*\.svg)$/;
const NOT_KEPT = /^assets\/Gallery/;

/** `sw.js`: the service worker with the names of this build's files. */
export function serviceWorker(): Plugin {
  return {
    name: "orvale-service-worker",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const names = Object.keys(bundle).filter((name) => KEPT.test(name) && !NOT_KEPT.test(name));
        const files = [...names, "favicon.svg", "favicon-unread.svg"].map((name) => `/${name}`);
        const unique = [...new Set(files)].sort();
        const entry = Object.values(bundle).find((output) => output.type === "chunk" && output.isEntry);
        if (!entry) this.error("a build has an entry");
        const source = readFileSync(SOURCE, "utf8");
        const version = createHash("sha256")
          .update(source + unique.join(" "))
          .digest("hex")
          .slice(0, 12);
        const { outputText } = ts.transpileModule(source, {
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            removeComments: true,
          },
        });
        const given = { FILES: unique, ENTRY: `/${entry.fileName}`, VERSION: version };
        const head = Object.entries(given).map(
          ([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`,
        );
        this.emitFile({
          type: "asset",
          fileName: "sw.js",
          source: head.join("") + outputText.replace(/^export \{\};$/m, ""),
        });
      },
    },
  };
}
