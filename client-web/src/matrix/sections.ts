// The sections of the room list, and the order of the rooms in them.

import type { RoomSummary } from "./roomSummary";

/** Room ids by section. A section keeps its identity while its order stays. */
export interface Sections {
  readonly invites: readonly string[];
  readonly direct: readonly string[];
  readonly channels: readonly string[];
  readonly groups: readonly string[];
}

/** Before any room is known. */
export const NO_ROOMS: Sections = { invites: [], direct: [], channels: [], groups: [] };

/** The section a room stands in; none if it is archived. */
export function sectionOf(room: RoomSummary): keyof Sections | null {
  if (room.archived) return null;
  if (room.invited || room.waiting) return "invites";
  return room.kind === "direct" ? "direct" : room.kind === "channel" ? "channels" : "groups";
}

const byId = (a: RoomSummary, b: RoomSummary) => (a.roomId < b.roomId ? -1 : 1);
const weight = (room: RoomSummary) => (room.pinned ? 0 : room.low ? 2 : 1);
const byName = (a: RoomSummary, b: RoomSummary) =>
  weight(a) - weight(b) || a.name.localeCompare(b.name) || byId(a, b);
const byTime = (a: RoomSummary, b: RoomSummary) => weight(a) - weight(b) || b.active - a.active || byId(a, b);

/** The order of a section: pinned first, those of little weight last; people and groups by the last thing said, channels by name, which keeps them calm. */
const orderOf = (name: keyof Sections) => (name === "channels" ? byName : byTime);

function sortSection(name: keyof Sections, rooms: readonly RoomSummary[]): readonly string[] {
  return rooms
    .filter((room) => sectionOf(room) === name)
    .sort(orderOf(name))
    .map((room) => room.roomId);
}

/** So many rooms that changed at once are put into place one by one; more, and all are sorted. */
const FEW = 50;

/** A section in its order after some rooms changed, came or went. */
export function resort(
  name: keyof Sections,
  before: readonly string[],
  changed: readonly string[],
  summaries: ReadonlyMap<string, RoomSummary>,
): readonly string[] {
  if (changed.length > FEW) return sortSection(name, [...summaries.values()]);
  const gone = new Set(changed);
  const ids = before.filter((roomId) => !gone.has(roomId));
  const order = orderOf(name);
  for (const roomId of gone) {
    const room = summaries.get(roomId);
    if (!room || sectionOf(room) !== name) continue;
    let [from, to] = [0, ids.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (order(summaries.get(ids[middle]!)!, room) < 0) from = middle + 1;
      else to = middle;
    }
    ids.splice(from, 0, roomId);
  }
  return ids;
}

/** All rooms in their sections. */
export function sortRooms(rooms: readonly RoomSummary[]): Sections {
  return {
    invites: sortSection("invites", rooms),
    direct: sortSection("direct", rooms),
    channels: sortSection("channels", rooms),
    groups: sortSection("groups", rooms),
  };
}

/** Whether a room may have to move within its section: not by what is said in a channel. */
export function mayMove(before: RoomSummary, after: RoomSummary): boolean {
  return (
    before.name !== after.name ||
    weight(before) !== weight(after) ||
    (before.active !== after.active && sectionOf(after) !== "channels")
  );
}
