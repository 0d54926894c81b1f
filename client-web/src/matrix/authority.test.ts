import { expect, test } from "vitest";

import { hindrance, may, needsOf, rolesToGive, type Authority } from "./authority";
import { channelLevels } from "./channel";

const standing = (level: number, content: object | null = channelLevels("member")): Authority => ({
  joined: true,
  level,
  needs: needsOf(content),
});

test("a room without power levels asks for nothing to be set, and for a moderator to remove people", () => {
  const needs = needsOf(null);
  expect(needs.name).toBe(0);
  expect(needs.post).toBe(0);
  expect(needs.kick).toBe(50);
  expect(needs.invite).toBe(0);
});

test("levels that are missing or no numbers are the specification's", () => {
  const needs = needsOf({ events: { "m.room.name": "75" }, ban: null });
  expect(needs.name).toBe(50);
  expect(needs.ban).toBe(50);
  expect(needsOf({ state_default: 10 }).topic).toBe(10);
  expect(needsOf({ events_default: 50, events: { "m.room.message": 0 } }).post).toBe(0);
});

test("who is not in a room may do nothing there", () => {
  expect(may({ ...standing(100), joined: false }, "invite")).toBe(false);
});

test("a moderator may act on members, not on moderators and above", () => {
  const moderator = standing(50);
  expect(hindrance(moderator, "kick", 0)).toBeNull();
  expect(hindrance(moderator, "kick", 50)).toEqual({ why: "rank" });
  expect(hindrance(moderator, "kick", Infinity)).toEqual({ why: "rank" });
  expect(hindrance(standing(0), "kick", 0)).toEqual({ why: "role", role: "moderator" });
  expect(hindrance(standing(Infinity), "ban", 100)).toBeNull();
});

test("roles are given up to one's own, and to those below", () => {
  expect(rolesToGive(standing(50), 0)).toEqual(["member", "moderator"]);
  expect(rolesToGive(standing(75), 50)).toEqual(["member", "moderator", "admin"]);
  expect(rolesToGive(standing(Infinity), 100)).toEqual(["member", "moderator", "admin", "owner"]);
  expect(rolesToGive(standing(50), 50)).toEqual([]);
  expect(rolesToGive(standing(0), 0)).toEqual([]);
});

test("to block somebody takes both the power levels and the record", () => {
  const needs = needsOf({
    events: { "m.room.power_levels": 100, "com.orvale.member.block": 50 },
  });
  expect(needs.block).toBe(100);
});
