// A client without a server: the SDK's own objects, fed by hand as /sync would feed them.

import {
  ClientEvent,
  createClient,
  EventStatus,
  MatrixEvent,
  MemoryStore,
  PendingEventOrdering,
  type IEvent,
  type MatrixClient,
  type Room,
} from "matrix-js-sdk";
import { SyncApi } from "matrix-js-sdk/lib/sync";
import { act } from "react";

import { RoomQueues } from "../matrix/RoomQueues";

/** What the server answers to a sent event. */
export type Answer = (txnId: string, content: unknown) => Promise<Response> | Response;

const answer = (status: number, body: object) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

/** Takes every event and gives it an id made from its transaction id. */
export const accepting: Answer = (txnId) => answer(200, { event_id: `$${txnId}` });
/** Refuses for good. */
export const refusing: Answer = () =>
  answer(403, { errcode: "M_FORBIDDEN", error: "You may not write here." });
/** The network is down. */
export const broken: Answer = () => Promise.reject(new TypeError("Failed to fetch"));

let count = 0;

/** One person's client. */
export class World {
  readonly me = "@ada:example.org";
  readonly client: MatrixClient;
  /** Transaction ids of what reached the server, in order. */
  readonly sent: string[] = [];
  server: Answer = accepting;
  /** What the server answers besides, by method and the end of the path: `POST /search`. */
  readonly answers = new Map<
    string,
    (body: unknown, signal: AbortSignal | null) => Promise<object> | object
  >();
  private readonly sync: SyncApi;

  constructor() {
    const options = { pendingEventOrdering: PendingEventOrdering.Detached, lazyLoadMembers: false };
    this.client = createClient({
      baseUrl: "https://example.org",
      userId: this.me,
      deviceId: "TEST",
      accessToken: "token",
      store: new MemoryStore(),
      scheduler: new RoomQueues(),
      timelineSupport: true,
      disableVoip: true,
      fetchFn: async (input: RequestInfo | URL, init?: RequestInit) => {
        const url = new URL(input instanceof Request ? input.url : input);
        const send = /\/(?:send|redact)\/[^/]+\/([^/]+)$/.exec(url.pathname);
        if (send?.[1] && init?.method === "PUT") {
          const txnId = decodeURIComponent(send[1]);
          const told = await this.server(txnId, JSON.parse(typeof init.body === "string" ? init.body : "{}"));
          if (told.ok) this.sent.push(txnId);
          return told;
        }
        for (const [what, tell] of [...this.answers].sort(([a], [b]) => b.length - a.length)) {
          const [method, path] = what.split(" ") as [string, string];
          if ((init?.method ?? "GET") !== method || !url.pathname.endsWith(path)) continue;
          const body = JSON.parse(typeof init?.body === "string" ? init.body : "null") as unknown;
          return answer(200, await tell(body, init?.signal ?? null));
        }
        return answer(404, { errcode: "M_UNRECOGNIZED", error: "Not in this world" });
      },
    });
    this.sync = new SyncApi(this.client, options, {} as ConstructorParameters<typeof SyncApi>[2]);
  }

  /** A room this person and others are in. */
  room(roomId: string, others: readonly string[] = ["@ben:example.org"], name?: string): Room {
    const room = this.sync.createRoom(roomId);
    const state = [
      this.event(roomId, "m.room.create", { creator: this.me }, { state_key: "" }),
      ...[this.me, ...others].map((userId) =>
        this.event(
          roomId,
          "m.room.member",
          {
            membership: "join",
            displayname: userId.slice(1, 2).toUpperCase() + userId.slice(2).split(":")[0],
          },
          { state_key: userId, sender: userId },
        ),
      ),
      ...(name ? [this.event(roomId, "m.room.name", { name }, { state_key: "" })] : []),
    ];
    room.currentState.setStateEvents(state);
    room.updateMyMembership("join");
    room.recalculate();
    this.client.store.storeRoom(room);
    this.client.emit(ClientEvent.Room, room);
    return room;
  }

  /** An event as the server would tell it. */
  event(roomId: string, type: string, content: object, more: Partial<IEvent> = {}): MatrixEvent {
    count += 1;
    return new MatrixEvent({
      room_id: roomId,
      event_id: `$event${String(count)}`,
      sender: this.me,
      origin_server_ts: 1_700_000_000_000 + count * 1_000,
      type,
      content,
      ...more,
    });
  }

  /** Somebody writes. */
  text(room: Room, sender: string, body: string, more: Partial<IEvent> = {}): MatrixEvent {
    return this.event(room.roomId, "m.room.message", { msgtype: "m.text", body }, { sender, ...more });
  }

  /** Events arrive, and everything that follows from it is drawn. */
  async arrive(room: Room, ...events: MatrixEvent[]): Promise<void> {
    await act(async () => {
      await room.addLiveEvents(events, { addToState: true });
      await settled();
    });
  }

  /** The sync's copy of an own message. */
  echo(room: Room, pending: MatrixEvent): MatrixEvent {
    return this.event(room.roomId, pending.getType(), pending.getContent(), {
      event_id: `$${pending.getTxnId()!}`,
      unsigned: { transaction_id: pending.getTxnId()! },
    });
  }
}

/** Lets timers of no length and answers that are already there take their turn. */
export async function settled(turns = 10): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

export { EventStatus };
