import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { build, type Plugin, type Rollup } from "vite";

import { leanSdk } from "./lean-sdk.ts";
import { standIns } from "./stand-ins.ts";

/** What a visit loads, and how much that may be, in kB gzip (LOAD-01 and LOAD-02). */
const budgets = [
  { name: "until the first sight", parts: ["/index.html"], limit: 200 },
  { name: "the login page", parts: ["/index.html", "/src/features/login/LoginPage.tsx"], limit: 220 },
  { name: "until the first usable chat", parts: ["/index.html", "/src/app/ChatApp.tsx"], limit: 400 },
];

/** What the first usable chat loads is so much less than the whole program in one script would be (LOAD-03). */
const less = {
  name: "less than everything at once",
  parts: ["/index.html", "/src/app/ChatApp.tsx"],
  share: 0.4,
};

/** Fails the build when what a visit loads grows past its budget. */
export function withinBudgets(): Plugin {
  return {
    name: "orvale-budgets",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      async handler(_options, bundle) {
        const chunks = Object.values(bundle).filter((output) => output.type === "chunk");
        const loaded = (parts: readonly string[]): number => {
          const scripts = new Set<Rollup.OutputChunk>();
          for (const part of parts) {
            const first = chunks.find((chunk) => chunk.facadeModuleId?.endsWith(part));
            if (!first) this.error(`${part} is no part of its own any more: change build/budgets.ts with it`);
            gather(first, bundle, scripts);
          }
          return [...scripts].reduce((sum, { code }) => sum + packed(code), 0);
        };
        for (const { name, parts, limit } of budgets) {
          const bytes = loaded(parts);
          const told = `${name}: ${(bytes / 1000).toFixed(1)} of ${String(limit)} kB gzip`;
          if (bytes > limit * 1000) this.error(`${told}. Load lazily what is not needed by then.`);
          else this.info(told);
        }
        const whole = await inOneScript();
        const spared = 1 - loaded(less.parts) / whole;
        const told = `${less.name}: ${(spared * 100).toFixed(0)} % of ${(whole / 1000).toFixed(1)} kB gzip, at least ${String(less.share * 100)} %`;
        if (spared < less.share) this.error(`${told}. Load lazily what is not needed by then.`);
        this.info(told);
      },
    },
  };
}

const packed = (code: string): number => gzipSync(code, { level: 9 }).length;

/** How much the program is, in bytes, when all that is loaded later is in the first script. */
async function inOneScript(): Promise<number> {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [leanSdk(), react()],
    resolve: { alias: standIns },
    build: {
      write: false,
      target: "es2023",
      assetsInlineLimit: 0,
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  return (built as Rollup.RollupOutput).output.reduce(
    (sum, output) => sum + (output.type === "chunk" ? packed(output.code) : 0),
    0,
  );
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
