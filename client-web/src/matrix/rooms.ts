// The rooms of this person, and who is told when one of them changes.

import {
  ClientEvent,
  KnownMembership,
  RoomEvent,
  RoomMemberEvent,
  RoomStateEvent,
  RoomType,
  SyncState,
  type MatrixClient,
  type Room,
} from "matrix-js-sdk";
import { useCallback, useMemo, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";
import { directRooms, summarize, type RoomSummary, type RoomWords } from "./roomSummary";
import { mayMove, NO_ROOMS, resort, sectionOf, type Sections } from "./sections";
import { sameList, sameShape, Signals, Snapshot } from "./signals";

/** Whether a receipt, or one of several, is somebody's: by event, kind and person. */
function isReceiptOf(
  content: Record<string, Record<string, Record<string, unknown>>>,
  userId: string,
): boolean {
  for (const kinds of Object.values(content))
    for (const people of Object.values(kinds)) if (userId in people) return true;
  return false;
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
  private sections: Sections = NO_ROOMS;
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

/** Whether what is said in a room is hidden from the server; so for a room that is not known. */
export function isEncrypted(client: MatrixClient, roomId: string): boolean {
  return client.getRoom(roomId)?.hasEncryptionStateEvent() ?? true;
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
