import type { RoomStore } from "../../matrix/rooms";

type Rooms = Pick<RoomStore, "getSections" | "getSummary">;

/** The conversation after or before the open one, in the order of the list, round its ends. */
export function neighbour(
  rooms: Rooms,
  here: string | undefined,
  step: 1 | -1,
  onlyUnread: boolean,
): string | undefined {
  const { direct, channels, groups } = rooms.getSections();
  const all = [...direct, ...channels, ...groups];
  const start = here === undefined ? -1 : all.indexOf(here);
  for (let steps = 1; steps <= all.length; steps += 1) {
    const from = start < 0 && step === -1 ? 0 : start;
    const candidate = all[(((from + step * steps) % all.length) + all.length) % all.length];
    if (candidate === undefined || candidate === here) continue;
    const summary = rooms.getSummary(candidate);
    if (!onlyUnread || (summary && (summary.unread > 0 || summary.fresh))) return candidate;
  }
  return undefined;
}
