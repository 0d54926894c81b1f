// Hooks around a room's timeline: rows, reading, who types, who has read.

import {
  MatrixEventEvent,
  RoomEvent,
  RoomMemberEvent,
  RoomStateEvent,
  ThreadEvent,
  type MatrixClient,
  type MatrixEvent,
  type Room,
  type RoomMember,
} from "matrix-js-sdk";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";

import { keyOf, type TimelineEvent } from "./events";
import { useClient } from "./MatrixProvider";
import { errcodeOf } from "./requests";
import { sameList, sameShape, Snapshot } from "./signals";
import { TimelineStore, type TimelineSnapshot } from "./TimelineStore";
import { unlessOver } from "./unlessOver";

export type { Row } from "./rows";
export type { TimelineSnapshot } from "./TimelineStore";

const stores = new WeakMap<MatrixClient, Map<string, TimelineStore>>();
/** Timelines kept after they were left, so that going back shows them at once. */
const KEPT = 12;

function storeOf(client: MatrixClient, roomId: string, threadId: string | null): TimelineStore {
  let known = stores.get(client);
  if (!known) {
    known = new Map();
    stores.set(client, known);
  }
  const id = `${roomId} ${threadId ?? ""}`;
  let store = known.get(id);
  if (store) {
    known.delete(id);
  } else {
    store = new TimelineStore(client, roomId, threadId);
  }
  known.set(id, store);
  store.prepare();
  for (const old of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(old);
  }
  return store;
}

/** The rows of a room or thread, and the ways to read on. */
export function useTimeline(
  roomId: string,
  threadId: string | null = null,
): { readonly snapshot: TimelineSnapshot; readonly timeline: TimelineStore } {
  const client = useClient();
  const timeline = useMemo(() => storeOf(client, roomId, threadId), [client, roomId, threadId]);
  const snapshot = useSyncExternalStore(timeline.subscribe, timeline.get);
  return { snapshot, timeline };
}

const NOBODY: readonly string[] = [];

function typingIn(client: MatrixClient, roomId: string): readonly string[] {
  const me = client.getUserId();
  const names = (client.getRoom(roomId)?.getMembersWithMembership("join") ?? [])
    .filter((member) => member.typing && member.userId !== me)
    .map((member) => member.rawDisplayName);
  return names.length > 0 ? names : NOBODY;
}

/** Names of those who are typing, without oneself. */
export function useTyping(roomId: string): readonly string[] {
  const client = useClient();
  const typing = useMemo(() => new Snapshot(() => typingIn(client, roomId), sameList), [client, roomId]);
  const subscribe = useCallback(
    (listener: () => void) => {
      const onTyping = (_event: MatrixEvent, member: RoomMember) => {
        if (member.roomId === roomId) listener();
      };
      client.on(RoomMemberEvent.Typing, onTyping);
      return () => client.off(RoomMemberEvent.Typing, onTyping);
    },
    [client, roomId],
  );
  return useSyncExternalStore(subscribe, typing.get);
}

/** For one room: up to where everybody else has read. Computed once for each receipt, asked by every own message. */
class ReadByAll {
  private readonly listeners = new Set<() => void>();
  private readonly client: MatrixClient;
  private readonly roomId: string;
  private places: Map<string, number> | null = null;
  private upTo = -1;

  constructor(client: MatrixClient, roomId: string) {
    this.client = client;
    this.roomId = roomId;
    const touch = (room: Room | undefined) => {
      if (room?.roomId !== roomId) return;
      this.places = null;
      for (const listener of [...this.listeners]) listener();
    };
    client.on(RoomEvent.Receipt, (_event, room) => touch(room));
    client.on(RoomEvent.Timeline, (_event, room) => touch(room));
    client.on(RoomEvent.LocalEchoUpdated, (_event, room) => touch(room));
    client.on(RoomStateEvent.Members, (_event, state) => {
      if (state.roomId === roomId) touch(client.getRoom(roomId) ?? undefined);
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private compute(): void {
    const room = this.client.getRoom(this.roomId);
    this.places = new Map();
    this.upTo = -1;
    if (!room) return;
    const events = room.getLiveTimeline().getEvents();
    events.forEach((event, index) => this.places!.set(event.getId() ?? "", index));
    const me = this.client.getUserId();
    const others = room.getJoinedMembers().filter((member) => member.userId !== me);
    if (others.length === 0 || others.length < room.getJoinedMemberCount() - 1) return;
    let upTo = events.length;
    for (const other of others) {
      const place = this.places.get(room.getEventReadUpTo(other.userId) ?? "") ?? -1;
      upTo = Math.min(upTo, place);
      if (upTo < 0) return;
    }
    this.upTo = upTo;
  }

  has(event: MatrixEvent): boolean {
    if (!this.places) this.compute();
    const place = this.places?.get(event.getId() ?? "");
    return place !== undefined && place <= this.upTo;
  }
}

const readers = new WeakMap<MatrixClient, Map<string, ReadByAll>>();

function readByAll(client: MatrixClient, roomId: string): ReadByAll {
  let rooms = readers.get(client);
  if (!rooms) {
    rooms = new Map();
    readers.set(client, rooms);
  }
  let known = rooms.get(roomId);
  if (!known) {
    known = new ReadByAll(client, roomId);
    rooms.set(roomId, known);
  }
  return known;
}

/** Whether everybody else has read an event. Only the rows whose answer changes are drawn again. */
export function useReadByAll(event: TimelineEvent): boolean {
  const client = useClient();
  const reads = readByAll(client, event.getRoomId() ?? "");
  return useSyncExternalStore(reads.subscribe, () => reads.has(event));
}

/** Those who have read an event, by name. */
export function readersOf(client: MatrixClient, event: TimelineEvent): readonly string[] {
  const room = client.getRoom(event.getRoomId());
  const id = event.getId();
  if (!room || !id) return NOBODY;
  const me = client.getUserId();
  return room
    .getJoinedMembers()
    .filter((member) => member.userId !== me && room.hasUserReadEvent(member.userId, id))
    .map((member) => member.name)
    .sort((a, b) => a.localeCompare(b));
}

/** The readers of an event, kept fresh while somebody looks. */
export function useReceipts(event: TimelineEvent): readonly string[] {
  const client = useClient();
  const reads = readByAll(client, event.getRoomId() ?? "");
  const names = useMemo(() => new Snapshot(() => readersOf(client, event), sameList), [client, event]);
  return useSyncExternalStore(reads.subscribe, names.get);
}

/** What a message shows of the thread that hangs on it. */
export interface ThreadSummary {
  readonly count: number;
  readonly last: string;
  readonly time: number;
  readonly people: readonly string[];
}

function threadBelow(client: MatrixClient, event: MatrixEvent): ThreadSummary | null {
  const room = client.getRoom(event.getRoomId());
  const thread = room?.getThread(event.getId() ?? "");
  if (!room || !thread || thread.length === 0) return null;
  const reply = thread.replyToEvent;
  const replies = thread.events.filter((other) => other !== thread.rootEvent);
  const names = new Set(replies.map((other) => room.getMember(other.getSender() ?? "")?.name ?? ""));
  return {
    count: thread.length,
    last: (reply?.getContent()["body"] as string | undefined) ?? "",
    time: reply?.getTs() ?? 0,
    people: [...names].filter(Boolean).slice(0, 3),
  };
}

function sameThread(a: ThreadSummary | null, b: ThreadSummary | null): boolean {
  if (a === null || b === null) return a === b;
  return a.count === b.count && a.last === b.last && a.time === b.time && sameList(a.people, b.people);
}

/** The thread below a message, or null. */
export function useThreadSummary(event: TimelineEvent): ThreadSummary | null {
  const client = useClient();
  const summary = useMemo(() => new Snapshot(() => threadBelow(client, event), sameThread), [client, event]);
  const subscribe = useCallback(
    (listener: () => void) => {
      const room = client.getRoom(event.getRoomId());
      // The last reply may come without its timeline, which is what has its events decrypted.
      const decrypt = () => {
        const reply = room?.getThread(event.getId() ?? "")?.replyToEvent;
        if (reply) void client.decryptEventIfNeeded(reply);
      };
      const changed = (thread: { id: string }) => {
        if (thread.id !== event.getId()) return;
        decrypt();
        listener();
      };
      const decrypted = (reply: MatrixEvent) => {
        if (reply.threadRootId === event.getId()) listener();
      };
      decrypt();
      client.on(MatrixEventEvent.Decrypted, decrypted);
      room?.on(ThreadEvent.New, changed);
      room?.on(ThreadEvent.Update, changed);
      room?.on(ThreadEvent.NewReply, changed);
      return () => {
        client.off(MatrixEventEvent.Decrypted, decrypted);
        room?.off(ThreadEvent.New, changed);
        room?.off(ThreadEvent.Update, changed);
        room?.off(ThreadEvent.NewReply, changed);
      };
    },
    [client, event],
  );
  return useSyncExternalStore(subscribe, summary.get);
}

/** An event that may have to be fetched: the one a reply answers. */
export function findEvent(client: MatrixClient, roomId: string, eventId: string): TimelineEvent | null {
  return client.getRoom(roomId)?.findEventById(eventId) ?? null;
}

/** The thread that a message belongs to, which is not among the room's messages then; null if it is in none, or not there. */
export async function threadOf(
  client: MatrixClient,
  roomId: string,
  eventId: string,
): Promise<string | null> {
  const relation = (await fetchEvent(client, roomId, eventId))?.getWireContent()["m.relates_to"];
  return relation?.rel_type === "m.thread" ? (relation.event_id ?? null) : null;
}

const fetched = new Map<string, Promise<TimelineEvent | null>>();

/** Fetches an event that is not loaded. */
export function fetchEvent(
  client: MatrixClient,
  roomId: string,
  eventId: string,
): Promise<TimelineEvent | null> {
  const known = findEvent(client, roomId, eventId);
  if (known) return Promise.resolve(known);
  const id = `${roomId} ${eventId}`;
  let asking = fetched.get(id);
  if (!asking) {
    asking = client
      .fetchRoomEvent(roomId, eventId)
      .then((raw) => client.getEventMapper()(raw))
      .catch((error: unknown) => {
        // Without an answer of the server nothing is known of it: it is asked for again.
        if (errcodeOf(error) === undefined) fetched.delete(id);
        return null;
      });
    fetched.set(id, asking);
    if (fetched.size > 500) fetched.delete(fetched.keys().next().value!);
  }
  return asking;
}

/** An event by its ID, fetched if it is not at hand; null until it is there. `gone` is one that cannot be had. */
export function useEventAt(
  roomId: string,
  eventId: string,
): { readonly event: TimelineEvent | null; readonly gone: boolean } {
  const client = useClient();
  const [event, setEvent] = useState<TimelineEvent | null>(() => findEvent(client, roomId, eventId));
  const [gone, setGone] = useState(false);
  useEffect(() => {
    if (event) return;
    return unlessOver(fetchEvent(client, roomId, eventId), (found) => {
      if (found) setEvent(found);
      else setGone(true);
    });
  }, [client, event, eventId, roomId]);
  return { event, gone };
}

/** Tells everybody that this person has read the room up to its last event. */
export async function markRead(
  client: MatrixClient,
  roomId: string,
  threadId: string | null = null,
): Promise<void> {
  const room = client.getRoom(roomId);
  if (!room) return;
  const events =
    threadId === null ? room.getLiveTimeline().getEvents() : (room.getThread(threadId)?.events ?? []);
  const last = [...events].reverse().find((event) => !event.status && event.getId()?.startsWith("$"));
  if (!last) return;
  const lastId = last.getId()!;
  const me = client.getSafeUserId();
  if (room.getAccountData("m.marked_unread")?.getContent()["unread"] === true) {
    void client.setRoomAccountData(roomId, "m.marked_unread" as never, { unread: false } as never);
  }
  const done =
    threadId === null
      ? room.getEventReadUpTo(me) === lastId
      : room.getThread(threadId)?.getEventReadUpTo(me) === lastId;
  const counted = room.getUnreadNotificationCount() > 0;
  const id = `${roomId} ${threadId ?? ""} ${lastId}`;
  if ((done && !counted) || asked.get(client) === id) return;
  asked.set(client, id);
  try {
    if (threadId === null) await client.setRoomReadMarkers(roomId, lastId, last);
    else await client.sendReadReceipt(last);
  } catch {
    asked.delete(client);
  }
}

const asked = new WeakMap<MatrixClient, string>();

/** Whether this person may do something in a room, by its power levels. */
export interface Powers {
  readonly post: boolean;
  /** Open to members where only some may write. */
  readonly react: boolean;
  readonly redactOthers: boolean;
  readonly invite: boolean;
  readonly pin: boolean;
  readonly rename: boolean;
}

const NO_POWERS: Powers = {
  post: false,
  react: false,
  redactOthers: false,
  invite: false,
  pin: false,
  rename: false,
};

function powersIn(client: MatrixClient, roomId: string): Powers {
  const room = client.getRoom(roomId);
  const me = client.getSafeUserId();
  if (!room || room.getMyMembership() !== "join") return NO_POWERS;
  const state = room.currentState;
  return {
    post: state.maySendMessage(me),
    react: state.maySendEvent("m.reaction", me),
    redactOthers: state.hasSufficientPowerLevelFor("redact", room.getMember(me)?.powerLevel ?? 0),
    invite: room.canInvite(me),
    pin: state.maySendStateEvent("m.room.pinned_events", me),
    rename: state.maySendStateEvent("m.room.name", me),
  };
}

/** Whether this person may write in a room. */
export function maySend(client: MatrixClient, roomId: string): boolean {
  return powersIn(client, roomId).post;
}

/** The powers in one room, read once for each change however many rows ask. */
class PowersStore {
  private readonly listeners = new Set<() => void>();
  private readonly snapshot: Snapshot<Powers>;
  private stale = true;
  private powers: Powers = NO_POWERS;

  constructor(client: MatrixClient, roomId: string) {
    this.snapshot = new Snapshot(() => powersIn(client, roomId), sameShape);
    const changed = (id: string | undefined) => {
      if (id !== roomId) return;
      this.stale = true;
      for (const listener of [...this.listeners]) listener();
    };
    client.on(RoomStateEvent.Update, (state) => changed(state.roomId));
    client.on(RoomEvent.MyMembership, (room) => changed(room.roomId));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): Powers => {
    if (this.stale) {
      this.stale = false;
      this.powers = this.snapshot.get();
    }
    return this.powers;
  };
}

const powerStores = new WeakMap<MatrixClient, Map<string, PowersStore>>();

/** What this person may do in a room. */
export function usePowers(roomId: string): Powers {
  const client = useClient();
  let rooms = powerStores.get(client);
  if (!rooms) {
    rooms = new Map();
    powerStores.set(client, rooms);
  }
  let store = rooms.get(roomId);
  if (!store) {
    store = new PowersStore(client, roomId);
    rooms.set(roomId, store);
  }
  return useSyncExternalStore(store.subscribe, store.get);
}

export { keyOf };
