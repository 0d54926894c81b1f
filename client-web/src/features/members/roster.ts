// The people of a room as one flat list under headings. Pure.

import { roleOf, type Role } from "../../matrix/channel";
import type { Member } from "../../matrix/members";

/** A heading's name: those who ask come first, those who are kept out last. */
export type RosterSection = "knock" | Role | "invite" | "ban";

/** A heading or a person. */
export type RosterItem =
  | { readonly kind: "heading"; readonly key: RosterSection; readonly count: number }
  | {
      readonly kind: "person";
      readonly key: string;
      readonly member: Member;
      readonly section: RosterSection;
    };

const ORDER: readonly RosterSection[] = [
  "knock",
  "owner",
  "admin",
  "moderator",
  "member",
  "blocked",
  "invite",
  "ban",
];

/** Where somebody stands in the list. */
export function sectionOf(member: Member): RosterSection {
  return member.standing === "join" ? roleOf(member.power) : member.standing;
}

/** The list; those who ask or are kept out only for who can do something about it. */
export function roster(
  members: readonly Member[],
  term: string,
  sees: { readonly knocks: boolean; readonly bans: boolean },
): readonly RosterItem[] {
  const wanted = term.trim().toLocaleLowerCase();
  const fits = (member: Member) =>
    wanted === "" ||
    member.name.toLocaleLowerCase().includes(wanted) ||
    member.userId.toLocaleLowerCase().includes(wanted);
  const items: RosterItem[] = [];
  for (const section of ORDER) {
    if ((section === "knock" && !sees.knocks) || (section === "ban" && !sees.bans)) continue;
    const people = members.filter((member) => sectionOf(member) === section && fits(member));
    if (people.length === 0) continue;
    items.push({ kind: "heading", key: section, count: people.length });
    for (const member of people) items.push({ kind: "person", key: member.userId, member, section });
  }
  return items;
}
