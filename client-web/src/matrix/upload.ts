// Files on their way to the server: progress, giving up, and the message at the end.

import { HTTPError, type MatrixClient } from "matrix-js-sdk";
import { useCallback, useSyncExternalStore } from "react";

import { type SealedFile, seal } from "./encryption/files";
import { plainName } from "./fileNames";
import { useClient } from "./MatrixProvider";
import { uploadLimit } from "./media";
import { errcodeOf } from "./requests";
import { isPassing } from "./RoomQueues";
import type { Place } from "./send";
import { Signals } from "./signals";

/** A file being uploaded. */
export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly sent: number;
  /** It is tried again soon. */
  readonly waiting: boolean;
  readonly error: string | null;
}

type Progress = (progress: { loaded: number; total: number }) => void;

/** Brings a file to the server; the content of the message that shows it. */
export type Bring = (stop: AbortController, progress: Progress) => Promise<object>;

interface Running extends Upload {
  readonly bring: Bring;
  readonly place: Place;
  readonly stop: AbortController;
}

class TooLarge extends Error {}

/** So long, in ms, what did not get through is left alone before it is tried once more. */
const PAUSES = [1_000, 4_000, 15_000];

/** A closing tab takes along what is on its way: the browser asks first. */
const ask = (event: BeforeUnloadEvent) => event.preventDefault();

/** Until an upload may be tried again: after a while, without a connection as soon as that is back, or at once if it was given up. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((over) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      over();
    };
    const timer = navigator.onLine ? setTimeout(end, ms) : undefined;
    addEventListener("online", end);
    stop.addEventListener("abort", end);
  });
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

/** Larger than this on a side, a picture is shown by a smaller copy. */
const SMALL = { w: 800, h: 600 };

/** A smaller copy of a picture; null where the picture is small itself, or moves. */
async function shrink(
  file: File,
  size: { w: number; h: number },
): Promise<{ blob: Blob; w: number; h: number } | null> {
  const scale = Math.min(SMALL.w / size.w, SMALL.h / size.h);
  if (scale >= 1 || file.type === "image/gif") return null;
  try {
    const w = Math.round(size.w * scale);
    const h = Math.round(size.h * scale);
    const picture = await createImageBitmap(file, { resizeWidth: w, resizeHeight: h, resizeQuality: "high" });
    const canvas = document.createElement("canvas");
    canvas.width = w;
    canvas.height = h;
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
    picture.close();
    const type = file.type === "image/jpeg" ? "image/jpeg" : "image/webp";
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, 0.85));
    return blob && { blob, w, h };
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
    const busy = [...this.rooms.values()].flat().some(({ error }) => error === null);
    (busy ? addEventListener : removeEventListener)("beforeunload", ask);
    this.signals.notify(roomId);
  }

  private patch(roomId: string, id: string, change: Partial<Upload>): void {
    this.set(roomId, (list) => list.map((item) => (item.id === id ? { ...item, ...change } : item)));
  }

  /** Uploads a file and sends it. */
  add(place: Place, file: File): Promise<void> {
    return this.begin(place, plainName(file.name), file.size, (stop, progress) =>
      this.contentOf(place.roomId, file, stop, progress),
    );
  }

  /** Brings something to the server and sends it; a size of 0 is one that nobody knows yet. */
  async begin(place: Place, name: string, size: number, bring: Bring): Promise<void> {
    this.count += 1;
    const id = String(this.count);
    const stop = new AbortController();
    const running: Running = { id, name, size, sent: 0, waiting: false, error: null, bring, place, stop };
    this.set(place.roomId, (list) => [...list, running]);
    await this.run(running);
  }

  /** Tries a failed upload again. */
  async retry(roomId: string, id: string): Promise<void> {
    const found = this.rooms.get(roomId)?.find((item) => item.id === id);
    if (!found) return;
    const again: Running = { ...found, error: null, waiting: false, sent: 0, stop: new AbortController() };
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

  /** Seals a file, and a small picture of it, which the server cannot make of what it cannot read. */
  private async uploadSealed(
    file: File,
    size: { w: number; h: number } | null,
    stop: AbortController,
    progressHandler: Progress,
  ): Promise<{ file: SealedFile; small?: object }> {
    const put = async (blob: Blob, more: object = {}) => {
      const { sealed, tell } = await seal(blob);
      // Not even the name is told.
      const answer = await this.client.uploadContent(sealed, {
        type: sealed.type,
        includeFilename: false,
        abortController: stop,
        ...more,
      });
      return tell(answer.content_uri);
    };
    const whole = await put(file, { progressHandler });
    const small = size && (await shrink(file, size));
    if (!small) return { file: whole };
    return {
      file: whole,
      small: {
        thumbnail_file: await put(small.blob),
        thumbnail_info: { mimetype: small.blob.type, size: small.blob.size, w: small.w, h: small.h },
      },
    };
  }

  /** Uploads a file, sealed where the conversation is encrypted; the content of the message that shows it. */
  async contentOf(roomId: string, file: File, stop: AbortController, progress: Progress): Promise<object> {
    const limit = await uploadLimit(this.client);
    if (limit !== null && file.size > limit) throw new TooLarge();
    const size = await measure(file);
    const name = plainName(file.name);
    const type = file.type || "application/octet-stream";
    const address = this.client.getRoom(roomId)?.hasEncryptionStateEvent()
      ? await this.uploadSealed(file, size, stop, progress)
      : {
          url: (
            await this.client.uploadContent(file, {
              name,
              type,
              abortController: stop,
              progressHandler: progress,
            })
          ).content_uri,
        };
    return {
      msgtype: kindOf(type),
      body: name,
      filename: name,
      ...("url" in address ? { url: address.url } : { file: address.file }),
      info: {
        mimetype: type,
        size: file.size,
        ...(size ?? {}),
        ...("small" in address ? address.small : {}),
      },
    };
  }

  /** Brings it to the server; tries again what a lost connection or a busy server has kept it from. */
  private async insist({ bring, place, id, size, stop }: Running): Promise<object> {
    const progress: Progress = ({ loaded, total }) =>
      this.patch(place.roomId, id, { sent: loaded, size: size || total });
    for (let tried = 0; ; tried += 1) {
      try {
        return await bring(stop, progress);
      } catch (error) {
        if (stop.signal.aborted) throw error;
        if (errcodeOf(error) === "M_UNKNOWN_TOKEN" && tried === 0) {
          // The browser sends files itself, with a token that may be over: any other request renews it.
          await this.client.whoami();
          continue;
        }
        const wait = PAUSES[tried];
        if (wait === undefined || !isPassing(error)) throw error;
        this.patch(place.roomId, id, { waiting: true, sent: 0 });
        await pause(Math.max(wait, retryAfter(error)), stop.signal);
        if (stop.signal.aborted) throw error;
        this.patch(place.roomId, id, { waiting: false });
      }
    }
  }

  private async run(item: Running): Promise<void> {
    const { place, stop } = item;
    try {
      const content = await this.insist(item);
      if (stop.signal.aborted) return;
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
      const message = { ...content, "m.mentions": {}, ...relates };
      this.client
        .sendEvent(place.roomId, place.threadId ?? null, "m.room.message" as never, message as never)
        .catch(() => undefined);
      this.set(place.roomId, (list) => list.filter((other) => other.id !== item.id));
    } catch (error) {
      if (stop.signal.aborted) return;
      const told = (error as { data?: { error?: string } }).data?.error;
      this.patch(place.roomId, item.id, {
        error: isTooLarge(error) ? "too-large" : (told ?? "failed"),
      });
    }
  }
}

/** A proxy in front of the server may take less than the server itself says. */
function isTooLarge(error: unknown): boolean {
  return error instanceof TooLarge || (error instanceof HTTPError && error.httpStatus === 413);
}

/** How long the server asks to be left alone, in ms. */
function retryAfter(error: unknown): number {
  try {
    return error instanceof HTTPError ? (error.getRetryAfterMs() ?? 0) : 0;
  } catch {
    // It said something that is no time.
    return 0;
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
