import { gzipSync } from "node:zlib";

import type { Plugin, Rollup } from "vite";

/** What a visit loads, and how much that may be, in kB gzip (LOAD-01 and LOAD-02). */
const budgets = [
  { name: "until the first sight", parts: ["/index.html"], limit: 200 },
  { name: "the login page", parts: ["/index.html", "/src/features/login/LoginPage.tsx"], limit: 220 },
  { name: "until the first usable chat", parts: ["/index.html", "/src/app/ChatApp.tsx"], limit: 400 },
];

/** Fails the build when what a visit loads grows past its budget. */
export function withinBudgets(): Plugin {
  return {
    name: "orvale-budgets",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const chunks = Object.values(bundle).filter((output) => output.type === "chunk");
        for (const { name, parts, limit } of budgets) {
          const scripts = new Set<Rollup.OutputChunk>();
          for (const part of parts) {
            const first = chunks.find((chunk) => chunk.facadeModuleId?.endsWith(part));
            if (!first) this.error(`${part} is no part of its own any more: change build/budgets.ts with it`);
            gather(first, bundle, scripts);
          }
          const bytes = [...scripts].reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
          const told = `${name}: ${(bytes / 1000).toFixed(1)} of ${String(limit)} kB gzip`;
          if (bytes > limit * 1000) this.error(`${told}. Load lazily what is not needed by then.`);
          else this.info(told);
        }
      },
    },
  };
}

/** A script and all it needs before it runs. */
function gather(
  chunk: Rollup.OutputChunk,
  bundle: Rollup.OutputBundle,
  known: Set<Rollup.OutputChunk>,
): void {
  if (known.has(chunk)) return;
  known.add(chunk);
  for (const file of chunk.imports) {
    const other = bundle[file];
    if (other?.type === "chunk") gather(other, bundle, known);
  }
}
