// The part of a room's (or a thread's) timeline that is on screen or near it.

import {
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

import { buildRows, gainedAbove, type Row } from "./rows";

/** Rows far above the ones loaded first must still have positive indexes. */
const FIRST_INDEX = 1_000_000;
/** Events read at once. */
const PAGE = 50;
/** Events kept; what is further away is dropped and can be read again. */
const KEPT = 1_500;

/** What the list draws. */
export interface TimelineSnapshot {
  readonly status: "loading" | "ready" | "failed";
  readonly rows: readonly Row[];
  /** Index of the first row; goes down when rows are added above. */
  readonly firstIndex: number;
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
  firstIndex: FIRST_INDEX,
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
  private scheduled = false;
  private readUpTo: string | null = null;
  private load = 0;
  /** The newest message of others, for the announcer. */
  private newest: MatrixEvent | null = null;

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

  /** The last message that others wrote while somebody watched. */
  latest(): MatrixEvent | null {
    return this.newest;
  }

  /** Where the reader had been when the room was opened. */
  unreadFrom(): string | null {
    return this.readUpTo;
  }

  private room(): Room | null {
    return this.client.getRoom(this.roomId);
  }

  private begin(): void {
    const client = this.client;
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
          this.newest = event;
          this.patch({ arrived: this.snapshot.arrived + 1 });
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
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(RoomEvent.TimelineReset, onReset);
    client.on(RoomEvent.LocalEchoUpdated, onEcho);
    client.on(RoomEvent.Redaction, onRedaction);
    client.on(MatrixEventEvent.Decrypted, onReplaced);
    const room = this.room();
    room?.on(ThreadEvent.Update, onThread);
    room?.on(ThreadEvent.NewReply, onThread);
    this.stop = () => {
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(RoomEvent.TimelineReset, onReset);
      client.off(RoomEvent.LocalEchoUpdated, onEcho);
      client.off(RoomEvent.Redaction, onRedaction);
      client.off(MatrixEventEvent.Decrypted, onReplaced);
      room?.off(ThreadEvent.Update, onThread);
      room?.off(ThreadEvent.NewReply, onThread);
    };
    if (this.window) this.schedule();
    else void this.open(null);
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
      const window = new TimelineWindow(this.client, set, { windowLimit: KEPT });
      const loading = window.load(eventId ?? undefined, PAGE);
      // Cached rooms are drawn in this very task.
      if (eventId !== null || !set.getLiveTimeline()) await loading;
      if (load !== this.load) return false;
      this.window = window;
      if (this.readUpTo === null && this.threadId === null) {
        const me = this.client.getSafeUserId();
        const counted = room.getUnreadNotificationCount() > 0 || this.hasNews(room, me);
        this.readUpTo = counted ? room.getEventReadUpTo(me) : null;
      }
      this.build({ status: "ready" });
      if (this.snapshot.rows.length < PAGE / 2) void this.older();
      return true;
    } catch {
      if (load === this.load) this.patch({ status: this.snapshot.rows.length > 0 ? "ready" : "failed" });
      return false;
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
        const before = this.snapshot.rows.length + this.snapshot.firstIndex;
        const first = this.snapshot.rows[0]?.key;
        await window.paginate(Direction.Backward, PAGE);
        if (window !== this.window) return;
        this.build();
        if (
          this.snapshot.rows[0]?.key !== first ||
          before === FIRST_INDEX ||
          !window.canPaginate(Direction.Backward)
        )
          break;
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

  /** The unread line has been seen. */
  forgetUnread(): void {
    if (this.readUpTo === null) return;
    this.readUpTo = null;
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.build();
    });
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
    const events = [...window.getEvents()];
    if (this.threadId !== null) {
      const root = room.getThread(this.threadId)?.rootEvent;
      if (root && events[0] !== root && !events.includes(root) && !window.canPaginate(Direction.Backward))
        events.unshift(root);
    }
    const live = !canGoOn;
    if (live) {
      const known = new Set(events);
      for (const event of this.pending(room)) if (!known.has(event)) events.push(event);
    }
    const before = this.snapshot.rows;
    const atStart = !window.canPaginate(Direction.Backward);
    const built = buildRows(
      events,
      { readUpTo: this.readUpTo, me: this.client.getSafeUserId(), fromStart: atStart },
      before,
    );
    const same = built.length === before.length && built.every((row, index) => row === before[index]);
    const rows = same ? before : built;
    const firstIndex =
      same || before.length === 0
        ? this.snapshot.firstIndex
        : this.snapshot.firstIndex - gainedAbove(before, built);
    this.patch({ ...more, rows, firstIndex, atStart, live });
  }

  private patch(change: Partial<TimelineSnapshot>): void {
    const keys = Object.keys(change) as Array<keyof TimelineSnapshot>;
    if (keys.every((key) => Object.is(this.snapshot[key], change[key]))) return;
    this.snapshot = { ...this.snapshot, ...change };
    for (const listener of [...this.listeners]) listener();
  }
}
