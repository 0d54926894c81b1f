// The sections as one flat list, which is what a virtual list and the arrow keys need. Pure.

import type { Sections } from "../../matrix/sections";

/** A section's name in the list. */
export type SectionName = "invites" | "direct" | "channels" | "groups";

/** A heading or a room. */
export type Item =
  | { readonly kind: "heading"; readonly key: SectionName; readonly count: number; readonly open: boolean }
  | { readonly kind: "room"; readonly key: string; readonly section: SectionName };

const ORDER: readonly SectionName[] = ["invites", "direct", "channels", "groups"];

/** All sections in their order; a closed one shows its heading alone. Invitations only appear when there are some. */
export function flatten(sections: Sections, closed: ReadonlySet<SectionName>): readonly Item[] {
  const items: Item[] = [];
  for (const name of ORDER) {
    const ids = sections[name];
    if (name === "invites" && ids.length === 0) continue;
    const open = !closed.has(name);
    items.push({ kind: "heading", key: name, count: ids.length, open });
    if (open) for (const roomId of ids) items.push({ kind: "room", key: roomId, section: name });
  }
  return items;
}
