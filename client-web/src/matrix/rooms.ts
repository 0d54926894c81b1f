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
import { useCallback, useMemo, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";
import { groupName, kindOf, type RoomKind } from "./naming";
import { sameList, sameShape, Signals, Snapshot } from "./signals";

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

/** Room ids by section. A section keeps its identity while its order stays. */
export interface Sections {
  readonly invites: readonly string[];
  readonly direct: readonly string[];
  readonly channels: readonly string[];
  readonly groups: readonly string[];
}

const NONE: Sections = { invites: [], direct: [], channels: [], groups: [] };

const partnersIn = new WeakMap<object, ReadonlyMap<string, string>>();

/** Rooms that are direct messages, each with its other person: read once from each content of the account's list. */
function directRooms(client: MatrixClient): ReadonlyMap<string, string> {
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

/** Whether a receipt, or one of several, is somebody's: by event, kind and person. */
function isReceiptOf(
  content: Record<string, Record<string, Record<string, unknown>>>,
  userId: string,
): boolean {
  for (const kinds of Object.values(content))
    for (const people of Object.values(kinds)) if (userId in people) return true;
  return false;
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

/** The section a room stands in; none if it is archived. */
function sectionOf(room: RoomSummary): keyof Sections | null {
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
function mayMove(before: RoomSummary, after: RoomSummary): boolean {
  return (
    before.name !== after.name ||
    weight(before) !== weight(after) ||
    (before.active !== after.active && sectionOf(after) !== "channels")
  );
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
      if (isReceiptOf(event.getContent(), client.getSafeUserId())) touch(room);
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
    const moved = new Set<keyof Sections | null>();
    const changed: string[] = [];
    for (const roomId of roomIds) {
      const room = this.client.getRoom(roomId);
      const before = this.summaries.get(roomId);
      const membership = room?.getMyMembership();
      const shown =
        room &&
        room.getType() !== RoomType.Space &&
        (membership === KnownMembership.Join ||
          membership === KnownMembership.Invite ||
          membership === KnownMembership.Knock);
      if (!shown) {
        if (before) {
          this.summaries.delete(roomId);
          changed.push(roomId);
          moved.add(sectionOf(before));
        }
        continue;
      }
      const after = summarize(this.client, room, partners, this.words);
      if (before && sameShape(before, after)) continue;
      this.summaries.set(roomId, after);
      changed.push(roomId);
      const [from, to] = [before && sectionOf(before), sectionOf(after)];
      if (!before || from !== to || mayMove(before, after)) {
        moved.add(to);
        if (from) moved.add(from);
      }
    }
    if (changed.length > 0) this.arrange(moved, changed);
    for (const roomId of changed) this.signals.notify(roomId);
  }

  private arrange(moved: ReadonlySet<keyof Sections | null>, changed: readonly string[]): void {
    const order = (name: keyof Sections): readonly string[] => {
      const before = this.sections[name];
      if (!moved.has(name)) return before;
      const next = resort(name, before, changed, this.summaries);
      return sameList(before, next) ? before : next;
    };
    const kept: Sections = {
      invites: order("invites"),
      direct: order("direct"),
      channels: order("channels"),
      groups: order("groups"),
    };
    if (!sameShape(kept, this.sections)) {
      this.sections = kept;
      this.signals.notify(SECTIONS);
    }
    const heard = [...this.summaries.values()].filter((room) => room.notify !== "none" && !room.archived);
    const totals = {
      count: heard.reduce((sum, room) => sum + room.unread, 0),
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

/** What a room is, whatever is said in it. */
export type RoomFacts = Omit<RoomSummary, keyof typeof SAID>;

/** What changes with each message. */
const SAID = { unread: true, mentions: true, fresh: true, active: true };

const sameFacts = (a: RoomFacts | null, b: RoomFacts | null): boolean =>
  a === b ||
  (a !== null &&
    b !== null &&
    (Object.keys(a) as Array<keyof RoomFacts>).every((key) => key in SAID || Object.is(a[key], b[key])));

/** What an open room is: with a message in it only the message is drawn, not all that stands around it. */
export function useRoomFacts(roomId: string): RoomFacts | null {
  const store = roomStore(useClient());
  const facts = useMemo(
    () => new Snapshot<RoomFacts | null>(() => store.getSummary(roomId), sameFacts),
    [store, roomId],
  );
  const subscribe = useCallback((listener: () => void) => store.onSummary(roomId, listener), [store, roomId]);
  return useSyncExternalStore(subscribe, facts.get);
}

/** What is unread over all rooms: for title, favicon and navigation. */
export function useUnread(): Unread {
  const store = roomStore(useClient());
  return useSyncExternalStore(store.onTotals, store.getTotals);
}

/** Where a room stands in its section: at the top, in its order, or at the end. */
export type Weight = "pinned" | "normal" | "low";

/** Pins a room to the top of its section, puts it at the end, or neither. */
export async function setWeight(client: MatrixClient, roomId: string, weight: Weight): Promise<void> {
  const tags = client.getRoom(roomId)?.tags ?? {};
  if (weight !== "pinned" && "m.favourite" in tags) await client.deleteRoomTag(roomId, "m.favourite");
  if (weight !== "low" && "m.lowpriority" in tags) await client.deleteRoomTag(roomId, "m.lowpriority");
  if (weight === "pinned") await client.setRoomTag(roomId, "m.favourite", { order: 0.5 });
  if (weight === "low") await client.setRoomTag(roomId, "m.lowpriority", { order: 0.5 });
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

/** Whether what is said in a room is hidden from the server; so for a room that is not known. */
export function isEncrypted(client: MatrixClient, roomId: string): boolean {
  return client.getRoom(roomId)?.hasEncryptionStateEvent() ?? true;
}

/** Accepts an invitation or joins by id or alias; answers with the room's id. */
export async function joinRoom(client: MatrixClient, roomIdOrAlias: string): Promise<string> {
  const inviter = directInviter(client, roomIdOrAlias);
  // At once: the room stands among the direct messages when it comes. Without the list it is a group of two, and one can write.
  if (inviter) listDirect(client, inviter, roomIdOrAlias).catch(() => undefined);
  const room = await client.joinRoom(roomIdOrAlias);
  return room.roomId;
}

/** Who asks this person to a conversation of two. */
function directInviter(client: MatrixClient, roomId: string): string | null {
  const asked = client.getRoom(roomId)?.getMember(client.getSafeUserId())?.events.member;
  const { membership, is_direct: direct } = asked?.getContent() ?? {};
  return membership === KnownMembership.Invite && direct === true ? (asked?.getSender() ?? null) : null;
}

/** Notes a room as a conversation of two with somebody, for all clients of this person: nobody else can. */
export async function listDirect(client: MatrixClient, userId: string, roomId: string): Promise<void> {
  const direct = client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>() ?? {};
  await client.setAccountData(EventType.Direct, {
    ...direct,
    [userId]: [...new Set([...(direct[userId] ?? []), roomId])],
  });
}

/** Leaves a room, declines its invitation, or takes back having asked to be let in. */
export async function leaveRoom(client: MatrixClient, roomId: string): Promise<void> {
  await client.leave(roomId);
}

/** Leaves a room and lets go of its messages. */
export async function forgetRoom(client: MatrixClient, roomId: string): Promise<void> {
  await client.leave(roomId);
  await client.forget(roomId, true);
}

const SHOWN = 30;

/** The names of those in a room, oneself included, for a tip: as far as they are known now. */
export function namesIn(client: MatrixClient, roomId: string): { names: readonly string[]; more: number } {
  const room = client.getRoom(roomId);
  const known = (room?.getJoinedMembers() ?? [])
    .map((member) => member.rawDisplayName)
    .sort((a, b) => a.localeCompare(b));
  const all = Math.max(room?.getJoinedMemberCount() ?? 0, known.length);
  return { names: known.slice(0, SHOWN), more: all - Math.min(known.length, SHOWN) };
}
