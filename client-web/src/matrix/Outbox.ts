// Messages that could not be sent go out by themselves, in order and once each.
/*
 * The SDK keeps pending messages with their transaction ids in the store and hands them back, marked as not sent, after a reload.
 * The server takes a transaction id once, so sending again what may have arrived is safe. This class decides when: as soon as the
 * connection is back, then with growing pauses. What the server refused for good waits for its writer.
 */

import {
  ClientEvent,
  EventStatus,
  RoomEvent,
  SyncState,
  type MatrixClient,
  type MatrixEvent,
  type Room,
} from "matrix-js-sdk";

import { isPassing } from "./RoomQueues";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** Whether the server refused this message for good. */
export function isRefused(event: MatrixEvent): boolean {
  return event.status === EventStatus.NOT_SENT && event.error != null && !isPassing(event.error);
}

/** What stands under another message, and has no place of its own to say that it was refused. */
const SMALL = ["m.reaction", "m.room.redaction", "m.poll.response", "org.matrix.msc3381.poll.response"];

type Refused = (error: unknown) => void;
const hearing = new WeakMap<MatrixClient, Set<Refused>>();

/** Messages whose deletion somebody waits for, who is told by the answer. */
export const awaited = new Set<string>();

/** Hears that a reaction, a vote or a deletion was refused, which is taken back then. */
export function onRefused(client: MatrixClient, refused: Refused): () => void {
  const listeners = hearing.get(client) ?? new Set();
  hearing.set(client, listeners.add(refused));
  return () => listeners.delete(refused);
}

/** The event's copy that came by sync, if its answer was lost on the way. */
function arrived(room: Room, event: MatrixEvent): boolean {
  const id = event.getId();
  if (id && !id.startsWith("~") && room.findEventById(id)) return true;
  const transaction = event.getTxnId();
  if (!transaction) return false;
  return room
    .getLiveTimeline()
    .getEvents()
    .some((other) => other !== event && other.getUnsigned().transaction_id === transaction);
}

/** Sends what waits. */
export class Outbox {
  private readonly client: MatrixClient;
  private readonly working = new Set<string>();
  private readonly waiting = new Set<string>();
  private pause = FIRST_PAUSE;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(client: MatrixClient) {
    this.client = client;
  }

  start(): () => void {
    const onEcho = (event: MatrixEvent, room: Room) => {
      if (event.status !== EventStatus.NOT_SENT) return;
      if (!isRefused(event)) this.plan(room.roomId);
      else if (SMALL.includes(event.getType())) this.takeBack(event);
    };
    const onSync = (state: string, before: string | null) => {
      if ((state === "SYNCING" || state === "PREPARED") && before !== "SYNCING") this.hurry();
    };
    const onOnline = () => this.hurry();
    this.client.on(RoomEvent.LocalEchoUpdated, onEcho);
    this.client.on(ClientEvent.Sync, onSync);
    window.addEventListener("online", onOnline);
    return () => {
      this.stopped = true;
      clearTimeout(this.timer);
      this.client.off(RoomEvent.LocalEchoUpdated, onEcho);
      this.client.off(ClientEvent.Sync, onSync);
      window.removeEventListener("online", onOnline);
    };
  }

  /** Tries every waiting room now. */
  hurry(): void {
    this.pause = FIRST_PAUSE;
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const roomId of [...this.waiting]) void this.flush(roomId);
  }

  private plan(roomId: string): void {
    this.waiting.add(roomId);
    if (this.working.has(roomId) || this.timer !== undefined || this.stopped) return;
    if (this.client.getSyncState() === SyncState.Syncing && this.pause === FIRST_PAUSE) {
      // Most likely one message was blocked behind another: the connection itself is fine.
      this.timer = setTimeout(() => this.fire(), 250);
      return;
    }
    const jitter = 0.8 + Math.random() * 0.4;
    this.timer = setTimeout(() => this.fire(), this.pause * jitter);
  }

  /** What was refused and cannot say so itself stands no longer as if it had been done. */
  private takeBack(event: MatrixEvent): void {
    const { error } = event;
    this.client.cancelPendingEvent(event);
    if (event.isRedaction() && awaited.has(event.getAssociatedId() ?? "")) return;
    for (const refused of hearing.get(this.client) ?? []) refused(error);
  }

  private fire(): void {
    this.timer = undefined;
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    for (const roomId of [...this.waiting]) void this.flush(roomId);
  }

  /** Sends what waits in one room, oldest first. */
  async flush(roomId: string): Promise<void> {
    const room = this.client.getRoom(roomId);
    if (!room || this.working.has(roomId) || this.stopped) return;
    this.working.add(roomId);
    this.waiting.delete(roomId);
    try {
      for (const event of [...room.getPendingEvents()]) {
        if (event.status !== EventStatus.NOT_SENT || isRefused(event)) continue;
        if (arrived(room, event)) {
          room.removePendingEvent(event.getId()!);
          room.emit(RoomEvent.LocalEchoUpdated, event, room, event.getId(), EventStatus.NOT_SENT);
          continue;
        }
        try {
          await this.client.resendEvent(event, room);
          this.pause = FIRST_PAUSE;
          if (arrived(room, event) && room.getPendingEvents().includes(event)) {
            room.removePendingEvent(event.getId()!);
            room.emit(RoomEvent.LocalEchoUpdated, event, room, event.getId(), EventStatus.SENT);
          }
        } catch (error) {
          if (isPassing(error)) {
            this.waiting.add(roomId);
            break;
          }
        }
      }
    } finally {
      this.working.delete(roomId);
      if (this.waiting.has(roomId)) this.plan(roomId);
    }
  }
}
