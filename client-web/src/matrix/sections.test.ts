import { expect, test } from "vitest";

import type { RoomSummary } from "./roomSummary";
import { resort, sortRooms } from "./sections";

const row = (roomId: string, more: Partial<RoomSummary> = {}): RoomSummary => ({
  roomId,
  kind: "channel",
  name: roomId,
  topic: "",
  avatar: null,
  partner: null,
  people: 3,
  invited: false,
  waiting: false,
  inviter: null,
  inviterId: null,
  private: false,
  readOnly: false,
  archived: false,
  encrypted: false,
  pinned: false,
  low: false,
  notify: "all",
  unread: 0,
  mentions: 0,
  fresh: false,
  active: 0,
  ...more,
});

test("pinned rooms come first, those of little weight last, in every section", () => {
  const rooms = [row("a", { low: true }), row("b"), row("c", { pinned: true })];
  expect(sortRooms(rooms).channels).toEqual(["c", "b", "a"]);
  const direct = rooms.map((room, at): RoomSummary => ({ ...room, kind: "direct", active: -at }));
  expect(sortRooms(direct).direct).toEqual(["c", "b", "a"]);
});

test("invitations and requests that wait stand together, archived channels nowhere", () => {
  const sections = sortRooms([
    row("invited", { invited: true, active: 2 }),
    row("asked", { waiting: true, active: 1 }),
    row("old", { archived: true }),
  ]);
  expect(sections).toEqual({ invites: ["invited", "asked"], direct: [], channels: [], groups: [] });
});

test("few rooms that changed are put where sorting all would put them", () => {
  const kinds = ["direct", "channel", "group"] as const;
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const any = (roomId: string) =>
    row(roomId, {
      kind: kinds[random(3)]!,
      name: `Name ${String(random(40))}`,
      pinned: random(9) === 0,
      low: random(9) === 0,
      invited: random(12) === 0,
      archived: random(12) === 0,
      active: random(30),
    });
  const rooms = new Map<string, RoomSummary>();
  for (let nth = 0; nth < 200; nth += 1) rooms.set(`!${String(nth)}`, any(`!${String(nth)}`));
  let sections = sortRooms([...rooms.values()]);
  for (let round = 0; round < 100; round += 1) {
    const changed = [...new Set(Array.from({ length: random(60) }, () => `!${String(random(230))}`))];
    for (const roomId of changed) {
      if (random(4) === 0) rooms.delete(roomId);
      else rooms.set(roomId, any(roomId));
    }
    const place = (name: keyof typeof sections) => resort(name, sections[name], changed, rooms);
    sections = {
      invites: place("invites"),
      direct: place("direct"),
      channels: place("channels"),
      groups: place("groups"),
    };
    expect(sections).toEqual(sortRooms([...rooms.values()]));
  }
});
