// What a row of the room list shows of a room.

import {
  EventType,
  JoinRule,
  KnownMembership,
  NotificationCountType,
  type MatrixClient,
  type MatrixEvent,
  type Room,
} from "matrix-js-sdk";

import { groupName, kindOf, type RoomKind } from "./naming";

/** When a room makes itself heard. */
export type NotifyLevel = "all" | "mentions" | "none";

/** What a row shows of a room. A new object only when one of its fields changed. */
export interface RoomSummary {
  readonly roomId: string;
  readonly kind: RoomKind;
  readonly name: string;
  readonly topic: string;
  readonly avatar: string | null;
  /** The other person of a direct message. */
  readonly partner: string | null;
  /** Joined people, oneself included. */
  readonly people: number;
  readonly invited: boolean;
  /** Asked to be let in, not answered yet. */
  readonly waiting: boolean;
  /** Who asked this person in, by name and id. */
  readonly inviter: string | null;
  readonly inviterId: string | null;
  readonly private: boolean;
  readonly readOnly: boolean;
  readonly archived: boolean;
  readonly encrypted: boolean;
  readonly pinned: boolean;
  /** Of little weight: after the others. */
  readonly low: boolean;
  readonly notify: NotifyLevel;
  /** Messages that count for the badge. */
  readonly unread: number;
  readonly mentions: number;
  /** Something is new, counted or not. */
  readonly fresh: boolean;
  /** Time of the last thing said. */
  readonly active: number;
}

const partnersIn = new WeakMap<object, ReadonlyMap<string, string>>();

/** Rooms that are direct messages, each with its other person: read once from each content of the account's list. */
export function directRooms(client: MatrixClient): ReadonlyMap<string, string> {
  const content = client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>() ?? {};
  const known = partnersIn.get(content);
  if (known) return known;
  const partners = new Map<string, string>();
  for (const [userId, roomIds] of Object.entries(content)) {
    if (!Array.isArray(roomIds)) continue;
    for (const roomId of roomIds) partners.set(roomId, userId);
  }
  partnersIn.set(content, partners);
  return partners;
}

function contentOf(room: Room, type: string): Record<string, unknown> | undefined {
  return room.currentState.getStateEvents(type, "")?.getContent();
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Whether this event is something said. */
export function isSaid(event: MatrixEvent): boolean {
  if (event.isRedacted()) return false;
  const type = event.getType();
  if (
    type !== "m.room.message" &&
    type !== "m.room.encrypted" &&
    type !== "m.sticker" &&
    !type.endsWith("poll.start")
  )
    return false;
  return event.getRelation()?.rel_type !== "m.replace";
}

function isFresh(room: Room, me: string, marked: boolean): boolean {
  if (marked) return true;
  const readUpTo = room.getEventReadUpTo(me);
  const events = room.getLiveTimeline().getEvents();
  for (let index = events.length - 1; index >= 0 && index > events.length - 100; index -= 1) {
    const event = events[index];
    if (!event || event.getId() === readUpTo || event.getSender() === me) return false;
    if (isSaid(event)) return true;
  }
  return false;
}

/** When a room makes itself heard, by this person's push rules. */
export function notifyLevel(client: MatrixClient, roomId: string): NotifyLevel {
  const rules = client.pushRules?.global;
  const override = rules?.override?.find((rule) => rule.rule_id === roomId && rule.enabled);
  if (override && override.actions.length === 0) return "none";
  const room = rules?.room?.find((rule) => rule.rule_id === roomId && rule.enabled);
  if (room && !room.actions.includes("notify" as never)) return "mentions";
  return "all";
}

/** Words the summaries need from the language in use. */
export interface RoomWords {
  readonly nobody: string;
  readonly unnamed: string;
}

/** Everything one room tells a row. */
export function summarize(
  client: MatrixClient,
  room: Room,
  partners: ReadonlyMap<string, string>,
  words: RoomWords,
): RoomSummary {
  const me = client.getSafeUserId();
  const own = room.getMember(me);
  const invited = room.getMyMembership() === (KnownMembership.Invite as string);
  const ownContent = own?.events.member?.getContent();
  const channel = contentOf(room, "com.orvale.channel");
  const name = text(contentOf(room, "m.room.name")?.["name"]);
  const alias = room.getCanonicalAlias() ?? undefined;
  const joined = room.getJoinedMemberCount();
  const everybody = room.getInvitedAndJoinedMemberCount();
  const listed = partners.get(room.roomId);
  const direct = listed !== undefined || (invited && ownContent?.["is_direct"] === true);
  const kind = kindOf({ declared: text(channel?.["kind"]), direct, name, alias, people: everybody });

  let partner: string | null = null;
  let shown: string;
  if (kind === "direct") {
    const other = () =>
      room.getMembers().find((member) => member.userId !== me && member.membership !== KnownMembership.Ban);
    partner = (listed !== undefined && listed !== me ? listed : other()?.userId) ?? room.guessDMUserId();
    const member = partner ? room.getMember(partner) : null;
    shown =
      member?.rawDisplayName ??
      (partner ? client.getUser(partner)?.displayName : undefined) ??
      partner ??
      words.unnamed;
  } else if (kind === "channel") {
    shown = name ?? alias?.slice(1).split(":")[0] ?? words.unnamed;
  } else {
    // Only who has no other name is called by its people: they may be thousands.
    const others = () =>
      room
        .getMembers()
        .filter(
          (member) =>
            member.userId !== me &&
            (member.membership === KnownMembership.Join || member.membership === KnownMembership.Invite),
        )
        .map((member) => member.rawDisplayName);
    shown = name ?? groupName(others(), Math.max(everybody - 1, 0), words.nobody);
  }

  const marked = room.getAccountData("m.marked_unread")?.getContent()["unread"] === true;
  const levels = contentOf(room, "m.room.power_levels");
  const needed = typeof levels?.["events_default"] === "number" ? levels["events_default"] : 0;
  const joinRule = room.getJoinRule();
  const last = lastSaid(room);
  const member = partner ? room.getMember(partner) : null;
  const inviterId = invited ? (own?.events.member?.getSender() ?? null) : null;
  return {
    roomId: room.roomId,
    kind,
    name: shown,
    topic: text(contentOf(room, "m.room.topic")?.["topic"]) ?? "",
    avatar: room.getMxcAvatarUrl() ?? member?.getMxcAvatarUrl() ?? null,
    partner,
    people: joined,
    invited,
    waiting: room.getMyMembership() === (KnownMembership.Knock as string),
    inviterId,
    inviter: inviterId
      ? (room.getMember(inviterId)?.rawDisplayName ?? client.getUser(inviterId)?.displayName ?? inviterId)
      : null,
    private: kind === "channel" && joinRule !== JoinRule.Public,
    readOnly: kind === "channel" && needed > 0,
    archived: channel?.["archived"] === true,
    encrypted: room.hasEncryptionStateEvent(),
    pinned: "m.favourite" in room.tags,
    low: "m.lowpriority" in room.tags,
    notify: notifyLevel(client, room.roomId),
    // An invitation waits like a message.
    unread: Math.max(room.getUnreadNotificationCount(NotificationCountType.Total), marked || invited ? 1 : 0),
    mentions: room.getUnreadNotificationCount(NotificationCountType.Highlight),
    fresh: isFresh(room, me, marked),
    active: last ?? room.getLastActiveTimestamp(),
  };
}

function lastSaid(room: Room): number | null {
  const events = room.getLiveTimeline().getEvents();
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index];
    if (event && isSaid(event)) return event.getTs();
  }
  return null;
}
