// The rooms of this person: what each row shows, and the sections they stand in.

import {
  ClientEvent,
  EventType,
  JoinRule,
  KnownMembership,
  NotificationCountType,
  PushRuleKind,
  RoomEvent,
  RoomMemberEvent,
  RoomStateEvent,
  RoomType,
  SyncState,
  type MatrixClient,
  type MatrixEvent,
  type Room,
} from "matrix-js-sdk";
import { useCallback, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";
import { groupName, kindOf, type RoomKind } from "./naming";
import { sameList, sameShape, Signals } from "./signals";

export type { RoomKind } from "./naming";

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
  readonly private: boolean;
  readonly readOnly: boolean;
  readonly archived: boolean;
  readonly encrypted: boolean;
  readonly pinned: boolean;
  readonly notify: NotifyLevel;
  /** Messages that count for the badge. */
  readonly unread: number;
  readonly mentions: number;
  /** Something is new, counted or not. */
  readonly fresh: boolean;
  /** Time of the last thing said. */
  readonly active: number;
}

/** Room ids by section. A section keeps its identity while its order stays. */
export interface Sections {
  readonly invites: readonly string[];
  readonly direct: readonly string[];
  readonly channels: readonly string[];
  readonly groups: readonly string[];
}

const NONE: Sections = { invites: [], direct: [], channels: [], groups: [] };

function directRooms(client: MatrixClient): Map<string, string> {
  const content = client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>() ?? {};
  const partners = new Map<string, string>();
  for (const [userId, roomIds] of Object.entries(content)) {
    if (!Array.isArray(roomIds)) continue;
    for (const roomId of roomIds) partners.set(roomId, userId);
  }
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

function notifyLevel(client: MatrixClient, roomId: string): NotifyLevel {
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
    const other = room
      .getMembers()
      .find((member) => member.userId !== me && member.membership !== KnownMembership.Ban);
    partner = (listed !== undefined && listed !== me ? listed : other?.userId) ?? room.guessDMUserId();
    const member = partner ? room.getMember(partner) : null;
    shown =
      member?.rawDisplayName ??
      (partner ? client.getUser(partner)?.displayName : undefined) ??
      partner ??
      words.unnamed;
  } else if (kind === "channel") {
    shown = name ?? alias?.slice(1).split(":")[0] ?? words.unnamed;
  } else {
    const others = room
      .getMembers()
      .filter(
        (member) =>
          member.userId !== me &&
          (member.membership === KnownMembership.Join || member.membership === KnownMembership.Invite),
      )
      .map((member) => member.rawDisplayName);
    shown = name ?? groupName(others, Math.max(everybody - 1, 0), words.nobody);
  }

  const marked = room.getAccountData("m.marked_unread")?.getContent()["unread"] === true;
  const levels = contentOf(room, "m.room.power_levels");
  const needed = typeof levels?.["events_default"] === "number" ? levels["events_default"] : 0;
  const joinRule = room.getJoinRule();
  const last = lastSaid(room);
  const member = partner ? room.getMember(partner) : null;
  return {
    roomId: room.roomId,
    kind,
    name: shown,
    topic: text(contentOf(room, "m.room.topic")?.["topic"]) ?? "",
    avatar: room.getMxcAvatarUrl() ?? member?.getMxcAvatarUrl() ?? null,
    partner,
    people: joined,
    invited,
    private: kind === "channel" && joinRule !== JoinRule.Public,
    readOnly: kind === "channel" && needed > 0,
    archived: channel?.["archived"] === true,
    encrypted: room.hasEncryptionStateEvent(),
    pinned: "m.favourite" in room.tags,
    notify: notifyLevel(client, room.roomId),
    unread: Math.max(room.getUnreadNotificationCount(NotificationCountType.Total), marked ? 1 : 0),
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

/** Pinned first; people and groups by the last thing said, channels by name, which keeps them calm. */
export function sortRooms(rooms: readonly RoomSummary[]): Sections {
  const byName = (a: RoomSummary, b: RoomSummary) =>
    Number(b.pinned) - Number(a.pinned) || a.name.localeCompare(b.name) || (a.roomId < b.roomId ? -1 : 1);
  const byTime = (a: RoomSummary, b: RoomSummary) =>
    Number(b.pinned) - Number(a.pinned) || b.active - a.active || (a.roomId < b.roomId ? -1 : 1);
  const ids = (list: RoomSummary[], order: typeof byName) => list.sort(order).map((room) => room.roomId);
  const here = rooms.filter((room) => !room.archived);
  const settled = here.filter((room) => !room.invited);
  return {
    invites: ids(
      here.filter((room) => room.invited),
      byTime,
    ),
    direct: ids(
      settled.filter((room) => room.kind === "direct"),
      byTime,
    ),
    channels: ids(
      settled.filter((room) => room.kind === "channel"),
      byName,
    ),
    groups: ids(
      settled.filter((room) => room.kind === "group"),
      byTime,
    ),
  };
}

const SECTIONS = " sections";
const TOTALS = " totals";

/** Unread messages over all rooms. */
export interface Unread {
  readonly count: number;
  readonly mentions: number;
}

/** Follows the client and keeps one summary a room. */
export class RoomStore {
  private readonly client: MatrixClient;
  private readonly signals = new Signals();
  private readonly summaries = new Map<string, RoomSummary>();
  private readonly dirty = new Set<string>();
  private allDirty = false;
  private scheduled = false;
  private sections: Sections = NONE;
  private totals: Unread = { count: 0, mentions: 0 };
  private words: RoomWords = { nobody: "Group Chat", unnamed: "Unnamed" };

  constructor(client: MatrixClient) {
    this.client = client;
    const touch = (room: Room | null | undefined) => {
      if (room) this.touch(room.roomId);
    };
    client.on(ClientEvent.Room, touch);
    client.on(ClientEvent.DeleteRoom, (roomId) => this.touch(roomId));
    client.on(RoomEvent.Timeline, (_event, room) => touch(room));
    client.on(RoomEvent.Receipt, (event, room) => {
      // Other people's receipts change nothing in the list.
      if (JSON.stringify(event.getContent()).includes(client.getSafeUserId())) touch(room);
    });
    client.on(RoomEvent.MyMembership, touch);
    client.on(RoomEvent.Tags, (_event, room) => touch(room));
    client.on(RoomEvent.AccountData, (_event, room) => touch(room));
    client.on(RoomEvent.Redaction, (_event, room) => touch(room));
    const follow = (room: Room) => {
      // These two are not passed on to the client.
      room.on(RoomEvent.UnreadNotifications, () => this.touch(room.roomId));
      room.on(RoomEvent.Summary, () => this.touch(room.roomId));
    };
    client.getRooms().forEach(follow);
    client.on(ClientEvent.Room, follow);
    client.on(RoomStateEvent.Events, (event) => this.touch(event.getRoomId() ?? ""));
    client.on(RoomMemberEvent.Name, (_event, member) => this.touch(member.roomId));
    client.on(ClientEvent.AccountData, (event) => {
      if (event.getType() === "m.direct" || event.getType() === "m.push_rules") this.touchAll();
    });
    client.on(ClientEvent.Sync, (state, before) => {
      if (
        state !== before &&
        (state === SyncState.Prepared || before === null || before === SyncState.Prepared)
      )
        this.touchAll();
    });
    this.refresh(client.getRooms().map((room) => room.roomId));
  }

  /** Words in the language in use. */
  setWords(words: RoomWords): void {
    if (sameShape(words, this.words)) return;
    this.words = words;
    this.touchAll();
  }

  private touch(roomId: string): void {
    this.dirty.add(roomId);
    this.schedule();
  }

  private touchAll(): void {
    this.allDirty = true;
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // After the SDK has finished with the whole answer it is working on.
    setTimeout(() => {
      this.scheduled = false;
      const ids = this.allDirty
        ? new Set([...this.client.getRooms().map((room) => room.roomId), ...this.summaries.keys()])
        : new Set(this.dirty);
      this.dirty.clear();
      this.allDirty = false;
      this.refresh([...ids]);
    }, 0);
  }

  private refresh(roomIds: readonly string[]): void {
    const partners = directRooms(this.client);
    let order = false;
    const changed: string[] = [];
    for (const roomId of roomIds) {
      const room = this.client.getRoom(roomId);
      const before = this.summaries.get(roomId);
      const membership = room?.getMyMembership();
      const shown =
        room &&
        room.getType() !== RoomType.Space &&
        (membership === KnownMembership.Join || membership === KnownMembership.Invite);
      if (!shown) {
        if (before) {
          this.summaries.delete(roomId);
          changed.push(roomId);
          order = true;
        }
        continue;
      }
      const after = summarize(this.client, room, partners, this.words);
      if (before && sameShape(before, after)) continue;
      this.summaries.set(roomId, after);
      changed.push(roomId);
      order = true;
    }
    if (order) this.sort();
    for (const roomId of changed) this.signals.notify(roomId);
  }

  private sort(): void {
    const all = [...this.summaries.values()];
    const next = sortRooms(all);
    const kept: Sections = {
      invites: sameList(this.sections.invites, next.invites) ? this.sections.invites : next.invites,
      direct: sameList(this.sections.direct, next.direct) ? this.sections.direct : next.direct,
      channels: sameList(this.sections.channels, next.channels) ? this.sections.channels : next.channels,
      groups: sameList(this.sections.groups, next.groups) ? this.sections.groups : next.groups,
    };
    if (!sameShape(kept, this.sections)) {
      this.sections = kept;
      this.signals.notify(SECTIONS);
    }
    const heard = all.filter((room) => room.notify !== "none" && !room.archived);
    const totals = {
      count: heard.reduce((sum, room) => sum + (room.invited ? 1 : room.unread), 0),
      mentions: heard.reduce((sum, room) => sum + room.mentions, 0),
    };
    if (!sameShape(totals, this.totals)) {
      this.totals = totals;
      this.signals.notify(TOTALS);
    }
  }

  readonly getSections = (): Sections => this.sections;
  readonly getTotals = (): Unread => this.totals;
  readonly getSummary = (roomId: string): RoomSummary | null => this.summaries.get(roomId) ?? null;
  readonly onSections = (listener: () => void): (() => void) => this.signals.subscribe(SECTIONS, listener);
  readonly onTotals = (listener: () => void): (() => void) => this.signals.subscribe(TOTALS, listener);
  readonly onSummary = (roomId: string, listener: () => void): (() => void) =>
    this.signals.subscribe(roomId, listener);
}

const stores = new WeakMap<MatrixClient, RoomStore>();

/** The room store of a client. */
export function roomStore(client: MatrixClient): RoomStore {
  let store = stores.get(client);
  if (!store) {
    store = new RoomStore(client);
    stores.set(client, store);
  }
  return store;
}

/** The sections of the room list. */
export function useRooms(): Sections {
  const store = roomStore(useClient());
  return useSyncExternalStore(store.onSections, store.getSections);
}

/** One room, or null if it is not known. */
export function useRoom(roomId: string): RoomSummary | null {
  const store = roomStore(useClient());
  const subscribe = useCallback((listener: () => void) => store.onSummary(roomId, listener), [store, roomId]);
  return useSyncExternalStore(subscribe, () => store.getSummary(roomId));
}

/** What is unread over all rooms: for title, favicon and navigation. */
export function useUnread(): Unread {
  const store = roomStore(useClient());
  return useSyncExternalStore(store.onTotals, store.getTotals);
}

/** Pins or unpins a room in its section. */
export async function setPinned(client: MatrixClient, roomId: string, pinned: boolean): Promise<void> {
  if (pinned) await client.setRoomTag(roomId, "m.favourite", { order: 0.5 });
  else await client.deleteRoomTag(roomId, "m.favourite");
}

/** Sets when a room makes itself heard, by push rules every client understands. */
export async function setNotifyLevel(
  client: MatrixClient,
  roomId: string,
  level: NotifyLevel,
): Promise<void> {
  const remove = (kind: PushRuleKind) => client.deletePushRule("global", kind, roomId).catch(() => undefined);
  const before = notifyLevel(client, roomId);
  if (before === level) return;
  if (before === "none") await remove(PushRuleKind.Override);
  if (before === "mentions") await remove(PushRuleKind.RoomSpecific);
  if (level === "none") {
    await client.addPushRule("global", PushRuleKind.Override, roomId, {
      actions: [],
      conditions: [{ kind: "event_match", key: "room_id", pattern: roomId }],
    } as never);
  } else if (level === "mentions") {
    await client.addPushRule("global", PushRuleKind.RoomSpecific, roomId, { actions: [] });
  }
}

/** Marks a room unread for later, or takes that back. */
export async function setMarkedUnread(client: MatrixClient, roomId: string, unread: boolean): Promise<void> {
  await client.setRoomAccountData(roomId, "m.marked_unread" as never, { unread } as never);
}

/** Accepts an invitation or joins by id or alias; answers with the room's id. */
export async function joinRoom(client: MatrixClient, roomIdOrAlias: string): Promise<string> {
  const room = await client.joinRoom(roomIdOrAlias);
  return room.roomId;
}

/** Leaves a room or declines its invitation. */
export async function leaveRoom(client: MatrixClient, roomId: string): Promise<void> {
  await client.leave(roomId);
}
