// Colours for code, loaded with the first block that names a language.

import type { HLJSApi } from "highlight.js";

let loading: Promise<HLJSApi> | null = null;

const ALIASES: Readonly<Record<string, string>> = {
  js: "javascript",
  jsx: "javascript",
  mjs: "javascript",
  ts: "typescript",
  tsx: "typescript",
  py: "python",
  rs: "rust",
  sh: "bash",
  shell: "bash",
  zsh: "bash",
  html: "xml",
  svg: "xml",
  yml: "yaml",
  toml: "ini",
  "c++": "cpp",
  h: "cpp",
  c: "cpp",
  golang: "go",
};

async function load(): Promise<HLJSApi> {
  const [core, ...languages] = await Promise.all([
    import("highlight.js/lib/core"),
    import("highlight.js/lib/languages/javascript"),
    import("highlight.js/lib/languages/typescript"),
    import("highlight.js/lib/languages/python"),
    import("highlight.js/lib/languages/rust"),
    import("highlight.js/lib/languages/bash"),
    import("highlight.js/lib/languages/json"),
    import("highlight.js/lib/languages/sql"),
    import("highlight.js/lib/languages/xml"),
    import("highlight.js/lib/languages/css"),
    import("highlight.js/lib/languages/yaml"),
    import("highlight.js/lib/languages/ini"),
    import("highlight.js/lib/languages/cpp"),
    import("highlight.js/lib/languages/go"),
    import("highlight.js/lib/languages/java"),
  ]);
  const names = [
    "javascript",
    "typescript",
    "python",
    "rust",
    "bash",
    "json",
    "sql",
    "xml",
    "css",
    "yaml",
    "ini",
    "cpp",
    "go",
    "java",
  ];
  names.forEach((name, index) => core.default.registerLanguage(name, languages[index]!.default));
  return core.default;
}

/** Colours the blocks below an element that name a language we know. */
export async function highlight(root: HTMLElement, stillThere: () => boolean): Promise<void> {
  const blocks = [...root.querySelectorAll<HTMLElement>("pre > code[class^='language-']")].filter(
    (block) => !block.dataset["coloured"],
  );
  if (blocks.length === 0) return;
  loading ??= load();
  const library = await loading;
  if (!stillThere()) return;
  for (const block of blocks) {
    const named = block.className.slice("language-".length).toLowerCase();
    const language = ALIASES[named] ?? named;
    const text = block.textContent ?? "";
    if (!library.getLanguage(language) || text.length > 20_000) continue;
    // highlight.js escapes what it is given; what it adds are spans with classes.
    block.innerHTML = library.highlight(text, { language, ignoreIllegals: true }).value;
    block.dataset["coloured"] = "yes";
  }
}
