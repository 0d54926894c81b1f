import { fileURLToPath } from "node:url";

import type { Rollup } from "vite";

const source = (file: string) => fileURLToPath(new URL(`../src/${file}`, import.meta.url));
/** What is loaded for who is logged in, and for who is not. */
const CHAT = source("app/ChatApp.tsx");
const LOGIN = source("features/login/LoginPage.tsx");

interface Context {
  getModuleInfo(id: string): Rollup.ModuleInfo | null;
}

/** The modules that a module cannot run without. */
function needed(from: string, context: Context): ReadonlySet<string> {
  const found = new Set([from]);
  for (const id of found) for (const next of context.getModuleInfo(id)?.importedIds ?? []) found.add(next);
  return found;
}

let sets: { readonly chat: ReadonlySet<string>; readonly both: ReadonlySet<string> } | null = null;

/** What only the chat needs, and what the login page needs too. */
function setsOf(context: Context): NonNullable<typeof sets> {
  if (sets) return sets;
  const login = needed(LOGIN, context);
  const all = [...needed(CHAT, context)].filter((one) => one !== CHAT && one !== LOGIN);
  sets = {
    chat: new Set(all.filter((one) => !login.has(one))),
    both: new Set(all.filter((one) => login.has(one))),
  };
  return sets;
}

/** A file is called after its first part; Rolldown would name all parts that share it. */
export const chunkFileNames = ({ name }: { name: string }) =>
  `assets/${name.split("~")[0] ?? name}-[hash].js`;

/**
 * Few files instead of many small ones: what the first script needs is one, and what the chat needs beyond it a handful. Whatever is
 * loaded later finds both there, so that nothing is lost by putting together what they share.
 */
export const chunks = {
  groups: [
    { name: "first", tags: ["$initial" as const], priority: 2 },
    // By itself, for a group takes along what its modules need: the login page would load the chat with the icon that both have.
    {
      name: (id: string, context: Context) => (setsOf(context).both.has(id) ? "both" : null),
      priority: 1.5,
    },
    {
      name: (id: string, context: Context) => (setsOf(context).chat.has(id) ? "chat" : null),
      priority: 1,
      entriesAware: true,
      entriesAwareMergeThreshold: 20_000,
    },
  ],
};
