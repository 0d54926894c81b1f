// One sending queue a room, in order: a slow room never holds up another, and one refused message never takes those behind it along.

import {
  ConnectionError,
  HTTPError,
  MatrixScheduler,
  type ISendEventResponse,
  type MatrixEvent,
} from "matrix-js-sdk";

interface Entry {
  readonly event: MatrixEvent;
  readonly resolve: (answer: ISendEventResponse) => void;
  readonly reject: (error: unknown) => void;
}

type Send = (event: MatrixEvent) => Promise<ISendEventResponse>;

/**
 * Whether trying again later can help: the network, the server being down or busy, or an answer that is not the server's (a page of a
 * proxy in front of it, or half an answer).
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  if (error instanceof HTTPError) {
    const status = error.httpStatus ?? 0;
    return status === 408 || status === 429 || status >= 500;
  }
  if (error instanceof TypeError || error instanceof SyntaxError) return true;
  // The SDK gives up an upload that does not move with no more than that word.
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown };
  return name === "AbortError" || message === "Timeout";
}

/** The SDK's scheduler with a queue of its own for each room. */
export class RoomQueues extends MatrixScheduler {
  private readonly byRoom = new Map<string, Entry[]>();
  private send: Send | null = null;

  override setProcessFunction(send: Send): void {
    this.send = send;
  }

  override getQueueForEvent(event: MatrixEvent): MatrixEvent[] | null {
    return this.byRoom.get(event.getRoomId() ?? "")?.map((entry) => entry.event) ?? null;
  }

  override removeEventFromQueue(event: MatrixEvent): boolean {
    const queue = this.byRoom.get(event.getRoomId() ?? "");
    const index = queue?.findIndex((entry) => entry.event === event) ?? -1;
    // The head is on its way and cannot be called back.
    if (!queue || index < 1) return false;
    queue.splice(index, 1);
    return true;
  }

  override queueEvent(event: MatrixEvent): Promise<ISendEventResponse> {
    const roomId = event.getRoomId() ?? "";
    return new Promise((resolve, reject) => {
      const entry = { event, resolve, reject };
      const queue = this.byRoom.get(roomId);
      if (queue) {
        queue.push(entry);
      } else {
        const fresh = [entry];
        this.byRoom.set(roomId, fresh);
        void this.work(roomId, fresh);
      }
    });
  }

  private async work(roomId: string, queue: Entry[]): Promise<void> {
    for (let entry = queue[0]; entry; entry = queue[0]) {
      try {
        if (!this.send) throw new Error("The queue has nobody to send for it yet");
        // One turn, so that what waited for the message before knows its real id.
        await Promise.resolve();
        const answer = await this.send(entry.event);
        queue.shift();
        entry.resolve(answer);
      } catch (error) {
        if (isPassing(error)) {
          // Nothing behind it can do better now, and the order must stay.
          this.byRoom.delete(roomId);
          for (const waiting of queue.splice(0)) waiting.reject(error);
          return;
        }
        queue.shift();
        entry.reject(error);
      }
    }
    this.byRoom.delete(roomId);
  }
}
