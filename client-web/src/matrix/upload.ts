// Files on their way to the server: progress, giving up, and the message at the end.

import type { MatrixClient } from "matrix-js-sdk";
import { useCallback, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";
import { uploadLimit } from "./media";
import type { Place } from "./send";
import { Signals } from "./signals";

/** A file being uploaded. */
export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly sent: number;
  readonly error: string | null;
}

interface Running extends Upload {
  readonly file: File;
  readonly place: Place;
  readonly stop: AbortController;
}

const NONE: readonly Upload[] = [];

/** Width and height of a picture, null if the browser cannot read it. */
export async function measure(file: Blob): Promise<{ w: number; h: number } | null> {
  if (!/^image\/(png|jpe?g|gif|webp|avif|bmp)$/.test(file.type)) return null;
  try {
    const bitmap = await createImageBitmap(file);
    const size = { w: bitmap.width, h: bitmap.height };
    bitmap.close();
    return size;
  } catch {
    return null;
  }
}

function kindOf(type: string): "m.image" | "m.video" | "m.audio" | "m.file" {
  if (/^image\/(png|jpe?g|gif|webp|avif|bmp)$/.test(type)) return "m.image";
  if (type.startsWith("video/")) return "m.video";
  if (type.startsWith("audio/")) return "m.audio";
  return "m.file";
}

/** The uploads of a client. */
export class Uploads {
  private readonly client: MatrixClient;
  private readonly signals = new Signals();
  private readonly rooms = new Map<string, readonly Running[]>();
  private count = 0;

  constructor(client: MatrixClient) {
    this.client = client;
  }

  readonly get = (roomId: string): readonly Upload[] => this.rooms.get(roomId) ?? NONE;
  readonly subscribe = (roomId: string, listener: () => void): (() => void) =>
    this.signals.subscribe(roomId, listener);

  private set(roomId: string, change: (list: readonly Running[]) => readonly Running[]): void {
    this.rooms.set(roomId, change(this.rooms.get(roomId) ?? []));
    this.signals.notify(roomId);
  }

  private patch(roomId: string, id: string, change: Partial<Upload>): void {
    this.set(roomId, (list) => list.map((item) => (item.id === id ? { ...item, ...change } : item)));
  }

  /** Uploads a file and sends it. */
  async add(place: Place, file: File): Promise<void> {
    this.count += 1;
    const id = String(this.count);
    const running: Running = {
      id,
      name: file.name,
      size: file.size,
      sent: 0,
      error: null,
      file,
      place,
      stop: new AbortController(),
    };
    this.set(place.roomId, (list) => [...list, running]);
    await this.run(running);
  }

  /** Tries a failed upload again. */
  async retry(roomId: string, id: string): Promise<void> {
    const found = this.rooms.get(roomId)?.find((item) => item.id === id);
    if (!found) return;
    const again: Running = { ...found, error: null, sent: 0, stop: new AbortController() };
    this.set(roomId, (list) => list.map((item) => (item.id === id ? again : item)));
    await this.run(again);
  }

  /** Gives up an upload. */
  cancel(roomId: string, id: string): void {
    this.rooms
      .get(roomId)
      ?.find((item) => item.id === id)
      ?.stop.abort();
    this.set(roomId, (list) => list.filter((item) => item.id !== id));
  }

  private async run(item: Running): Promise<void> {
    const { file, place } = item;
    try {
      const limit = await uploadLimit(this.client);
      if (limit !== null && file.size > limit) {
        this.patch(place.roomId, item.id, { error: "too-large" });
        return;
      }
      const size = await measure(file);
      const type = file.type || "application/octet-stream";
      const answer = await this.client.uploadContent(file, {
        name: file.name,
        type,
        abortController: item.stop,
        progressHandler: ({ loaded }) => this.patch(place.roomId, item.id, { sent: loaded }),
      });
      if (item.stop.signal.aborted) return;
      const relates = place.threadId
        ? {
            "m.relates_to": {
              rel_type: "m.thread",
              event_id: place.threadId,
              is_falling_back: true,
              "m.in_reply_to": { event_id: place.threadId },
            },
          }
        : place.replyTo
          ? { "m.relates_to": { "m.in_reply_to": { event_id: place.replyTo } } }
          : {};
      this.client
        .sendEvent(
          place.roomId,
          place.threadId ?? null,
          "m.room.message" as never,
          {
            msgtype: kindOf(type),
            body: file.name,
            filename: file.name,
            url: answer.content_uri,
            info: { mimetype: type, size: file.size, ...(size ?? {}) },
            "m.mentions": {},
            ...relates,
          } as never,
        )
        .catch(() => undefined);
      this.set(place.roomId, (list) => list.filter((other) => other.id !== item.id));
    } catch (error) {
      if (item.stop.signal.aborted) return;
      const told = (error as { data?: { error?: string } }).data?.error;
      this.patch(place.roomId, item.id, { error: told ?? "failed" });
    }
  }
}

const all = new WeakMap<MatrixClient, Uploads>();

/** The uploads of a client. */
export function uploadsOf(client: MatrixClient): Uploads {
  let uploads = all.get(client);
  if (!uploads) {
    uploads = new Uploads(client);
    all.set(client, uploads);
  }
  return uploads;
}

/** The files of a room that are on their way. */
export function useUploads(roomId: string): readonly Upload[] {
  const uploads = uploadsOf(useClient());
  const subscribe = useCallback(
    (listener: () => void) => uploads.subscribe(roomId, listener),
    [uploads, roomId],
  );
  return useSyncExternalStore(subscribe, () => uploads.get(roomId));
}
