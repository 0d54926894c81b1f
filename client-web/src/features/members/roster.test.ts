import { expect, test } from "vitest";

import type { Member } from "../../matrix/members";
import { roster } from "./roster";

const person = (name: string, power = 0, standing: Member["standing"] = "join"): Member => ({
  userId: `@${name.toLowerCase()}:example.org`,
  name,
  avatar: null,
  power,
  invited: standing === "invite",
  standing,
  reason: "",
});
const people = [
  person("Ada", Infinity),
  person("Ben", 50),
  person("Chiara"),
  person("Dmitri", -1),
  person("Elif", 0, "invite"),
  person("Gus", 0, "knock"),
  person("Hana", 0, "ban"),
];
const all = { knocks: true, bans: true };
const keys = (items: ReturnType<typeof roster>) => items.map((item) => item.key);

test("those who ask come first, then everybody by role, those kept out last", () => {
  expect(keys(roster(people, "", all)).filter((key) => !key.startsWith("@"))).toEqual([
    "knock",
    "owner",
    "moderator",
    "member",
    "blocked",
    "invite",
    "ban",
  ]);
});

test("who can do nothing about requests and bans does not see them", () => {
  const seen = keys(roster(people, "", { knocks: false, bans: false }));
  expect(seen).not.toContain("@gus:example.org");
  expect(seen).not.toContain("@hana:example.org");
});

test("a search finds names and user ids, and leaves out headings with nobody below", () => {
  expect(keys(roster(people, " CHI", all))).toEqual(["member", "@chiara:example.org"]);
  expect(keys(roster(people, "@ben:", all))).toEqual(["moderator", "@ben:example.org"]);
});
