import { expect, test } from "vitest";

import blockExample from "../../../schemas/events/com.orvale.member.block.example.json";
import blockSchema from "../../../schemas/events/com.orvale.member.block.schema.json";
import example from "../../../schemas/events/com.orvale.channel.example.json";
import schema from "../../../schemas/events/com.orvale.channel.schema.json";
import { CHANNEL, channelLevels, groupLevels, postingOf, readChannel, roleOf, ROLES } from "./channel";
import { BLOCK, blockKey, readBlock } from "./moderation";

test("the example of a channel is read as it stands, and every kind of the schema is known", () => {
  expect(schema.title).toBe(CHANNEL);
  expect(readChannel(example)).toEqual({
    kind: example.kind,
    archived: example.archived,
    postingBefore: example.events_default_before,
  });
  for (const kind of schema.properties.kind.enum) expect(readChannel({ kind }).kind).toBe(kind);
  expect(Object.keys(schema.properties).sort()).toEqual(["archived", "events_default_before", "kind"]);
});

test("what a channel does not say, or says wrongly, is as if it said nothing", () => {
  const silent = { kind: null, archived: false, postingBefore: null };
  expect(readChannel(undefined)).toEqual(silent);
  expect(readChannel({ kind: "stage", archived: "yes", events_default_before: 1.5 })).toEqual(silent);
});

test("the example of a block is read as it stands; empty content is no block", () => {
  expect(blockSchema.title).toBe(BLOCK);
  expect(readBlock(blockExample)).toEqual(blockExample);
  expect(Object.keys(blockSchema.properties).sort()).toEqual(Object.keys(blockExample).sort());
  expect(readBlock({})).toBeNull();
  expect(readBlock({ by: "@ada:example.org", at: 1 })).toEqual({
    by: "@ada:example.org",
    at: 1,
    reason: "",
  });
});

test("nobody's block stands under a key that only they could set", () => {
  expect(blockKey("@ben:example.org")).toBe("ben:example.org");
});

test("roles are those of the power levels, and what lies between counts as the lower one", () => {
  const roles = [-1, 0, 49, 50, 74, 75, 99, 100, Infinity].map(roleOf);
  expect(roles).toEqual([
    "blocked",
    "member",
    "member",
    "moderator",
    "moderator",
    "admin",
    "admin",
    "owner",
    "owner",
  ]);
  for (const [role, level] of Object.entries(ROLES)) expect(roleOf(level)).toBe(role);
});

test("in a channel for announcements members react and take back their own, but do not write", () => {
  const levels = channelLevels("moderator");
  expect(levels.events_default).toBe(50);
  expect(levels.events["m.reaction"]).toBe(0);
  expect(levels.events["m.room.redaction"]).toBe(0);
  expect(postingOf(levels.events_default)).toBe("moderator");
  expect(postingOf(channelLevels("admin").events_default)).toBe("admin");
  expect(postingOf(channelLevels("member").events_default)).toBe("member");
});

test("moderators can take the right to write, but not decide what a channel is", () => {
  const { events } = channelLevels("member");
  expect(events["m.room.power_levels"]).toBe(ROLES.moderator);
  expect(events[BLOCK]).toBe(ROLES.moderator);
  for (const decided of ["m.room.name", "m.room.join_rules", "m.room.encryption", CHANNEL])
    expect(events[decided]).toBe(ROLES.admin);
});

test("in a group everybody may give it a name", () => {
  expect(groupLevels().events["m.room.name"]).toBe(0);
});
