// The part of a room's (or a thread's) timeline that is on screen or near it.

import {
  ClientEvent,
  Direction,
  EventStatus,
  MatrixEventEvent,
  RoomEvent,
  ThreadEvent,
  TimelineWindow,
  type EventTimelineSet,
  type IRoomTimelineData,
  type MatrixClient,
  type MatrixEvent,
  type Room,
} from "matrix-js-sdk";

import { Calm } from "./Calm";
import { roomStore } from "./rooms";
import { buildRows, ofThread, type Row } from "./rows";

/** Events read at once. */
const PAGE = 50;
/** Events kept; what is further away is dropped and can be read again. */
const KEPT = 1_500;
/** Messages of others that are remembered until they are announced. */
const REMEMBERED = 100;

/** What the list draws. */
export interface TimelineSnapshot {
  readonly status: "loading" | "ready" | "failed";
  readonly rows: readonly Row[];
  /** Nothing older exists. */
  readonly atStart: boolean;
  /** The newest event is among the rows. */
  readonly live: boolean;
  readonly loadingOlder: boolean;
  readonly loadingNewer: boolean;
  /** Grows with each message of others that came in while watching: for the announcer and the "n new" pill. */
  readonly arrived: number;
}

const EMPTY: TimelineSnapshot = {
  status: "loading",
  rows: [],
  atStart: false,
  live: true,
  loadingOlder: false,
  loadingNewer: false,
  arrived: 0,
};

/** Follows one timeline while somebody looks at it. */
export class TimelineStore {
  readonly roomId: string;
  readonly threadId: string | null;
  private readonly client: MatrixClient;
  private readonly listeners = new Set<() => void>();
  private window: TimelineWindow | null = null;
  private set: EventTimelineSet | null = null;
  private snapshot: TimelineSnapshot = EMPTY;
  private stop: (() => void) | null = null;
  private readonly calm = new Calm(() => this.build());
  private readUpTo: string | null = null;
  /** Whether the rows are those of a conversation of two. */
  private direct = false;
  private load = 0;
  /** Messages of others that came in since the rows were made. */
  private unbuilt = 0;
  /** The newest messages of others, for the announcer. */
  private newest: MatrixEvent[] = [];

  constructor(client: MatrixClient, roomId: string, threadId: string | null = null) {
    this.client = client;
    this.roomId = roomId;
    this.threadId = threadId;
  }

  readonly get = (): TimelineSnapshot => this.snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (!this.stop) this.begin();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        // A second mount in the same breath goes on with the same rows.
        setTimeout(() => {
          if (this.listeners.size === 0) {
            this.stop?.();
            this.stop = null;
          }
        }, 0);
      }
    };
  };

  /** The last so many messages that others wrote while somebody watched, as far as they are remembered. */
  latest(count: number): readonly MatrixEvent[] {
    return this.newest.slice(-count);
  }

  private isDirect(): boolean {
    return this.threadId === null && roomStore(this.client).getSummary(this.roomId)?.kind === "direct";
  }

  private room(): Room | null {
    return this.client.getRoom(this.roomId);
  }

  private begin(): void {
    const client = this.client;
    const room = this.room();
    if (!room) {
      this.awaitRoom();
      return;
    }
    const onTimeline = (
      event: MatrixEvent,
      room: Room | undefined,
      _start: boolean | undefined,
      removed: boolean,
      data: IRoomTimelineData,
    ) => {
      if (room?.roomId !== this.roomId || data.timeline.getTimelineSet() !== this.set) return;
      if (data.liveEvent && !removed && event.getSender() !== client.getUserId()) {
        if (
          event.getType() === "m.room.message" ||
          event.getType() === "m.room.encrypted" ||
          event.getType() === "m.sticker"
        ) {
          this.newest.push(event);
          if (this.newest.length > REMEMBERED) this.newest.shift();
          this.unbuilt += 1;
        }
      }
      this.schedule();
    };
    const onReset = (room: Room | undefined, set: EventTimelineSet) => {
      if (room?.roomId !== this.roomId || set !== this.set) return;
      if (this.snapshot.live) void this.open(null);
      else this.schedule();
    };
    const onEcho = (_event: MatrixEvent, room: Room) => {
      // At once: the own message stands in the next frame.
      if (room.roomId === this.roomId) this.build();
    };
    const onRedaction = (_event: MatrixEvent, room: Room) => {
      if (room.roomId === this.roomId) this.schedule();
    };
    const onReplaced = (event: MatrixEvent) => {
      if (event.getRoomId() === this.roomId) this.schedule();
    };
    const onThread = () => {
      if (this.threadId !== null) this.schedule();
    };
    const onRoom = () => {
      if (this.isDirect() !== this.direct) this.schedule();
    };
    const leaveRoom = roomStore(client).onSummary(this.roomId, onRoom);
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(RoomEvent.TimelineReset, onReset);
    client.on(RoomEvent.LocalEchoUpdated, onEcho);
    client.on(RoomEvent.Redaction, onRedaction);
    client.on(MatrixEventEvent.Decrypted, onReplaced);
    room.on(ThreadEvent.Update, onThread);
    room.on(ThreadEvent.NewReply, onThread);
    this.stop = () => {
      leaveRoom();
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(RoomEvent.TimelineReset, onReset);
      client.off(RoomEvent.LocalEchoUpdated, onEcho);
      client.off(RoomEvent.Redaction, onRedaction);
      client.off(MatrixEventEvent.Decrypted, onReplaced);
      room.off(ThreadEvent.Update, onThread);
      room.off(ThreadEvent.NewReply, onThread);
    };
    this.prepare(false);
    if (!this.window) void this.open(null);
    else if (this.snapshot.rows.length < PAGE / 2) void this.older();
  }

  /** A page that was opened at a room's address: the room comes with the first answer of the server, or it is none of ours. */
  private awaitRoom(): void {
    const client = this.client;
    const look = () => {
      if (!this.room()) {
        if (client.isInitialSyncComplete()) this.patch({ status: "failed" });
        return;
      }
      this.stop?.();
      this.begin();
    };
    client.on(ClientEvent.Room, look);
    client.on(ClientEvent.Sync, look);
    this.stop = () => {
      client.off(ClientEvent.Room, look);
      client.off(ClientEvent.Sync, look);
    };
    if (client.isInitialSyncComplete()) this.patch({ status: "failed" });
  }

  /** Draws what is known already, so that the first picture of a room has its messages. */
  prepare(followed = this.stop !== null): void {
    const room = this.room();
    if (followed || !room) return;
    const wasLive = this.snapshot.live;
    this.readUpTo = this.threadId === null ? this.readBefore(room) : null;
    if (this.window) {
      this.build();
      // Where the newest part was on screen it shall be again, and the unread part from its beginning.
      if (this.snapshot.live === wasLive && this.holds(this.readUpTo)) return;
      this.window = null;
      this.snapshot = EMPTY;
    }
    if (this.threadId !== null) return;
    const set = room.getUnfilteredTimelineSet();
    if (this.readUpTo !== null && set.getTimelineForEvent(this.readUpTo) !== set.getLiveTimeline()) return;
    this.set = set;
    this.show(this.newWindow(set, undefined).window);
  }

  /** The event read last, if something unread follows it. */
  private readBefore(room: Room): string | null {
    const me = this.client.getSafeUserId();
    const news = room.getUnreadNotificationCount() > 0 || this.hasNews(room, me);
    return news ? room.getEventReadUpTo(me) : null;
  }

  private holds(eventId: string | null): boolean {
    return eventId === null || this.window?.getEvents().some((event) => event.getId() === eventId) === true;
  }

  private newWindow(
    set: EventTimelineSet,
    eventId: string | undefined,
  ): { window: TimelineWindow; loading: Promise<void> } {
    const window = new TimelineWindow(this.client, set, { windowLimit: KEPT });
    return { window, loading: window.load(eventId, PAGE) };
  }

  private show(window: TimelineWindow): void {
    this.window = window;
    // The unread part from its beginning, as far as it is here.
    const live = this.set?.getLiveTimeline().getEvents() ?? [];
    if (this.readUpTo !== null && live.some((event) => event.getId() === this.readUpTo)) {
      while (!this.holds(this.readUpTo) && window.extend(Direction.Backward, PAGE)) {
        /* until it is there */
      }
    }
    this.build({ status: "ready" });
  }

  /** Shows the newest part, or the part around an event. */
  async open(eventId: string | null): Promise<boolean> {
    const room = this.room();
    this.load += 1;
    const load = this.load;
    if (!room) {
      this.patch({ status: "failed" });
      return false;
    }
    if (this.snapshot.rows.length === 0) this.patch({ status: "loading" });
    try {
      const set = await this.timelineSet(room);
      if (load !== this.load) return false;
      this.set = set;
      // A room is opened where its unread part begins; from there on, at the end.
      const around = eventId ?? (this.window === null ? this.readUpTo : null);
      let window = await this.loaded(set, around);
      if (!window && eventId === null) window = await this.loaded(set, null);
      if (load !== this.load) return false;
      if (!window) throw new Error("The event cannot be loaded");
      this.show(window);
      if (this.snapshot.rows.length < PAGE / 2) void this.older();
      return true;
    } catch {
      if (load === this.load) this.patch({ status: this.snapshot.rows.length > 0 ? "ready" : "failed" });
      return false;
    }
  }

  private async loaded(set: EventTimelineSet, eventId: string | null): Promise<TimelineWindow | null> {
    const { window, loading } = this.newWindow(set, eventId ?? undefined);
    try {
      await loading;
      // Around an event little is there at first: what is above and below it belongs to the first picture.
      if (eventId !== null)
        await Promise.all(
          [Direction.Backward, Direction.Forward].map((way) =>
            window.canPaginate(way) ? window.paginate(way, PAGE) : Promise.resolve(false),
          ),
        );
      return window;
    } catch {
      return null;
    }
  }

  private hasNews(room: Room, me: string): boolean {
    const events = room.getLiveTimeline().getEvents();
    const last = events[events.length - 1];
    return last !== undefined && last.getSender() !== me && room.getEventReadUpTo(me) !== last.getId();
  }

  private async timelineSet(room: Room): Promise<EventTimelineSet> {
    if (this.threadId === null) return room.getUnfilteredTimelineSet();
    const rootId = this.threadId;
    let thread = room.getThread(rootId);
    if (!thread) {
      let root = room.findEventById(rootId);
      if (!root) {
        await this.client.getEventTimeline(room.getUnfilteredTimelineSet(), rootId);
        root = room.findEventById(rootId);
      }
      thread = room.createThread(rootId, root, [], true);
    }
    return thread.timelineSet;
  }

  /** Reads what is older. */
  async older(): Promise<void> {
    const window = this.window;
    if (!window || this.snapshot.loadingOlder || !window.canPaginate(Direction.Backward)) return;
    this.patch({ loadingOlder: true });
    try {
      // Some pages hold nothing that has a row.
      for (let tries = 0; tries < 5; tries += 1) {
        const first = this.snapshot.rows[0]?.key;
        await window.paginate(Direction.Backward, PAGE);
        if (window !== this.window) return;
        this.build();
        if (this.snapshot.rows[0]?.key !== first || !window.canPaginate(Direction.Backward)) break;
      }
    } catch {
      // The next scroll tries again.
    } finally {
      this.build({ loadingOlder: false });
    }
  }

  /** Reads what is newer, when the newest part is not loaded. */
  async newer(): Promise<void> {
    const window = this.window;
    if (!window || this.snapshot.loadingNewer || this.snapshot.live || !window.canPaginate(Direction.Forward))
      return;
    this.patch({ loadingNewer: true });
    try {
      await window.paginate(Direction.Forward, PAGE);
    } catch {
      // The next scroll tries again.
    } finally {
      this.build({ loadingNewer: false });
    }
  }

  /** The row of an event, or -1. */
  indexOf(eventId: string): number {
    return this.snapshot.rows.findIndex((row) => row.events.some((event) => event.getId() === eventId));
  }

  private schedule(): void {
    this.calm.ask();
  }

  private pending(room: Room): MatrixEvent[] {
    return room.getPendingEvents().filter((event) => {
      if (event.status === EventStatus.CANCELLED) return false;
      const inThread = event.threadRootId ?? null;
      return this.threadId === null
        ? inThread === null || inThread === event.getId()
        : inThread === this.threadId;
    });
  }

  private build(more: Partial<TimelineSnapshot> = {}): void {
    const window = this.window;
    const room = this.room();
    if (!window || !room) return;
    const wasLive = this.snapshot.status !== "ready" || this.snapshot.live;
    if (wasLive) {
      // New events lie beyond the end of the window until it is moved.
      while (window.extend(Direction.Forward, PAGE)) {
        /* until the end */
      }
    }
    const canGoOn = window.canPaginate(Direction.Forward);
    const atStart = !window.canPaginate(Direction.Backward);
    const events =
      this.threadId === null
        ? [...window.getEvents()]
        : ofThread(window.getEvents(), this.threadId, room.getThread(this.threadId)?.rootEvent, atStart);
    const live = !canGoOn;
    if (live) {
      const known = new Set(events);
      for (const event of this.pending(room)) if (!known.has(event)) events.push(event);
    }
    const before = this.snapshot.rows;
    this.direct = this.isDirect();
    const built = buildRows(
      events,
      {
        readUpTo: this.readUpTo,
        me: this.client.getSafeUserId(),
        fromStart: atStart,
        root: this.threadId,
        direct: this.direct,
      },
      before,
    );
    const same = built.length === before.length && built.every((row, index) => row === before[index]);
    const arrived = this.snapshot.arrived + this.unbuilt;
    this.unbuilt = 0;
    this.patch({ ...more, rows: same ? before : built, atStart, live, arrived });
  }

  private patch(change: Partial<TimelineSnapshot>): void {
    const keys = Object.keys(change) as Array<keyof TimelineSnapshot>;
    if (keys.every((key) => Object.is(this.snapshot[key], change[key]))) return;
    this.snapshot = { ...this.snapshot, ...change };
    for (const listener of [...this.listeners]) listener();
  }
}
