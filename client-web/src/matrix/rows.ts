// From events to rows: what stands together, where a day begins, where the unread part begins. Pure.

import type { MatrixEvent } from "matrix-js-sdk";

import { keyOf, wordsIn } from "./events";

/** A row of the timeline. The same object as before as long as nothing of it changed. */
export interface Row {
  readonly key: string;
  readonly kind: "message" | "state";
  readonly event: MatrixEvent;
  /** For runs of people coming and going: all of them. */
  readonly events: readonly MatrixEvent[];
  /** Goes on under the author of the row above. */
  readonly continued: boolean;
  /** The day that begins here (local midnight, ms), or null. */
  readonly day: number | null;
  /** The unread part begins here. */
  readonly unread: boolean;
}

/** How long an author may pause and still go on in the same group. */
export const GROUP_PAUSE = 5 * 60 * 1000;

const STATE_SHOWN = new Set([
  "m.room.create",
  "m.room.name",
  "m.room.topic",
  "m.room.avatar",
  "m.room.member",
  "m.room.join_rules",
  "m.room.history_visibility",
  "m.room.encryption",
  "m.room.tombstone",
  "m.room.pinned_events",
  "com.orvale.channel",
]);

/** Whether an event has a row. */
export function hasRow(event: MatrixEvent): "message" | "state" | null {
  const type = event.getType();
  if (event.isState()) {
    if (!STATE_SHOWN.has(type)) return null;
    if (type === "m.room.member" && !membershipChange(event)) return null;
    return event.isRedacted() && type !== "m.room.member" ? null : "state";
  }
  if (event.getRelation()?.rel_type === "m.replace") return null;
  switch (type) {
    case "m.room.message":
      // What it says is meant for clients that cannot verify.
      return event.getContent()["msgtype"] === "m.key.verification.request" ? "state" : "message";
    case "m.room.encrypted":
    case "m.sticker":
    case "m.poll.start":
    case "org.matrix.msc3381.poll.start":
      return "message";
    default:
      return saysSomething(event) ? "message" : null;
  }
}

/** Whether an event of a type nobody here knows can be shown by its words. */
function saysSomething(event: MatrixEvent): boolean {
  const type = event.getType();
  if (/poll\.(response|end)$|^m\.(key\.verification|call|rtc|reaction|room)\./.test(type)) return false;
  if (type === "m.reaction") return false;
  return wordsIn(event.getContent()) !== "";
}

/** What a membership event says, or null if it says nothing worth a line. */
export type MembershipChange =
  | "joined"
  | "left"
  | "invited"
  | "declined"
  | "kicked"
  | "banned"
  | "unbanned"
  | "knocked"
  | "renamed"
  | "avatar";

/** Reads a membership event. */
export function membershipChange(event: MatrixEvent): MembershipChange | null {
  const content = event.getContent();
  const before = event.getPrevContent();
  const now: unknown = content["membership"];
  const was: unknown = before["membership"];
  const self = event.getSender() === event.getStateKey();
  if (now === "join") {
    if (was !== "join") return "joined";
    if (content["displayname"] !== before["displayname"]) return "renamed";
    if (content["avatar_url"] !== before["avatar_url"]) return "avatar";
    return null;
  }
  if (now === "invite") return was === "invite" ? null : "invited";
  if (now === "knock") return "knocked";
  if (now === "ban") return "banned";
  if (now === "leave") {
    if (was === "ban") return "unbanned";
    if (!self) return "kicked";
    return was === "invite" ? "declined" : "left";
  }
  return null;
}

/** Local midnight before a moment. */
export function dayOf(time: number): number {
  const day = new Date(time);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/** A day on which clocks are put forward, in ms: asking for the date of each event takes longer than all else here. */
const SHORTEST_DAY = 23 * 60 * 60 * 1000;

/** What else the rows depend on. */
export interface RowFacts {
  /** The event read last when the room was opened: the line goes below it. */
  readonly readUpTo: string | null;
  readonly me: string;
  /** Whether the first event given is the room's first: then its day is drawn. */
  readonly fromStart: boolean;
  /** In a thread: the message it hangs on, below which nothing is continued. */
  readonly root: string | null;
  /** A conversation of two: that it was begun and both came says nothing to either of them. */
  readonly direct: boolean;
}

/** The events of a thread, the root once and first: the SDK may hold it twice, as the room's event and as the thread's. */
export function ofThread(
  events: readonly MatrixEvent[],
  rootId: string,
  known: MatrixEvent | undefined,
  fromStart: boolean,
): MatrixEvent[] {
  const replies = events.filter((event) => event.getId() !== rootId);
  const held = replies.length < events.length || fromStart;
  const root = known ?? events.find((event) => event.getId() === rootId);
  return held && root ? [root, ...replies] : replies;
}

/** What a room is made of while it is made needs no lines of its own: "Anna created this conversation" says it. */
function partOfFounding(founding: MatrixEvent, event: MatrixEvent): boolean {
  if (event === founding || !event.isState() || event.getSender() !== founding.getSender()) return false;
  if (event.getTs() - founding.getTs() > 10_000) return false;
  return event.getType() !== "m.room.member" || event.getStateKey() === event.getSender();
}

/** Who has come into the room, as far as its events are here. */
function whoCame(events: readonly MatrixEvent[]): ReadonlySet<string | undefined> {
  return new Set(
    events
      .filter((event) => event.getType() === "m.room.member" && event.getContent()["membership"] === "join")
      .map((event) => event.getStateKey()),
  );
}

/** That a conversation was begun, and that somebody who is here was asked into it and came. */
function partOfOpening(came: ReadonlySet<string | undefined>, event: MatrixEvent): boolean {
  if (event.getType() === "m.room.create") return true;
  if (event.getType() !== "m.room.member" || !came.has(event.getStateKey())) return false;
  const change = membershipChange(event);
  return change === "invited" || change === "joined";
}

/** Makes rows; `before` are the rows made last time, reused where nothing changed. */
export function buildRows(
  events: readonly MatrixEvent[],
  facts: RowFacts,
  before: readonly Row[] = [],
): readonly Row[] {
  const old = new Map(before.map((row) => [row.key, row]));
  const rows: Row[] = [];
  let last: Row | null = null;
  let lastTime = 0;
  let lastDay: number | null = null;
  let unreadHere = facts.readUpTo === null ? null : false;
  let waiting = false;

  const push = (row: Row) => {
    const known = old.get(row.key);
    const same =
      known !== undefined &&
      known.event === row.event &&
      known.kind === row.kind &&
      known.continued === row.continued &&
      known.day === row.day &&
      known.unread === row.unread &&
      known.events.length === row.events.length &&
      known.events.every((event, index) => event === row.events[index]);
    last = same ? known : row;
    rows.push(last);
  };

  let founding: MatrixEvent | null = null;
  const came = facts.direct ? whoCame(events) : null;
  for (const event of events) {
    if (event.getType() === "m.room.create") founding = event;
    const known =
      founding !== null &&
      (partOfFounding(founding, event) || (came !== null && rows.length === 0 && partOfOpening(came, event)));
    const kind = known ? null : hasRow(event);
    if (kind) {
      const time = event.getTs();
      const day: number =
        lastDay !== null && time >= lastDay && time < lastDay + SHORTEST_DAY ? lastDay : dayOf(time);
      const newDay = lastDay !== null ? day !== lastDay : facts.fromStart;
      const unread: boolean = waiting && unreadHere === false && event.getSender() !== facts.me;
      if (unread) unreadHere = true;
      const above = last as Row | null;
      const inRun =
        kind === "state" &&
        above?.kind === "state" &&
        !newDay &&
        !unread &&
        event.getType() === "m.room.member" &&
        above.event.getType() === "m.room.member";
      if (inRun) {
        rows.pop();
        push({ ...above, events: [...above.events, event] });
      } else {
        const known = old.get(keyOf(event));
        push({
          key: keyOf(event),
          kind,
          event,
          events: [event],
          continued:
            // Once drawn with its name a row keeps it: what is read above must not make it lower.
            known?.continued !== false &&
            kind === "message" &&
            above?.kind === "message" &&
            !newDay &&
            !unread &&
            above.event.getSender() === event.getSender() &&
            above.event.getId() !== facts.root &&
            time - lastTime < GROUP_PAUSE &&
            time >= lastTime,
          day: newDay ? day : null,
          unread,
        });
      }
      lastTime = time;
      lastDay = day;
    }
    if (facts.readUpTo !== null && event.getId() === facts.readUpTo) waiting = true;
  }
  return rows;
}
