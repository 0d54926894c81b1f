// Pictures and files, which the server gives only to those who are logged in (authenticated media).
/*
 * An <img> cannot carry a token. Of the two ways around that, a service worker that adds the token to requests and a fetch here
 * whose answer becomes an object URL, this is the second: a worker is absent on the first visit, in private mode and after a hard
 * reload, and would have to be given the token, which then lives in one more place. The price is that a picture is shown when it
 * is whole; rows reserve its room, so nothing moves. Object URLs are shared, counted, and given up when the cache grows.
 */

import type { MatrixClient } from "matrix-js-sdk";
import { useEffect, useState } from "react";

import { authedFetch } from "./client";
import { sealedAt, unseal } from "./encryption/files";
import { plainName } from "./fileNames";
import { useClient } from "./MatrixProvider";
import { stopped } from "./still";
import { unlessOver } from "./unlessOver";

/** The size wanted of a picture. */
export interface Thumbnail {
  readonly width: number;
  readonly height: number;
  readonly crop?: boolean;
}

interface Entry {
  readonly promise: Promise<string>;
  url: string | null;
  size: number;
  users: number;
}

const LIMIT = 64 * 1024 * 1024;
const cache = new Map<string, Entry>();
let held = 0;

/** What browsers draw without running anything. An SVG or HTML of somebody else's never becomes a page of ours. */
const DRAWN = /^(image\/(png|jpe?g|gif|webp|avif|bmp)|video\/(mp4|webm|ogg|quicktime)|audio\/[\w.+-]+)$/;

function pathOf(mxc: string, thumbnail: Thumbnail | null): string | null {
  const parts = /^mxc:\/\/([^/]+)\/([\w-]+)$/.exec(mxc);
  if (!parts) return null;
  const [, server, id] = parts as unknown as [string, string, string];
  const place = `${encodeURIComponent(server)}/${id}`;
  if (!thumbnail) return `/_matrix/client/v1/media/download/${place}`;
  const scale = Math.min(2, Math.max(1, globalThis.devicePixelRatio || 1));
  const query = new URLSearchParams({
    width: String(Math.ceil(thumbnail.width * scale)),
    height: String(Math.ceil(thumbnail.height * scale)),
    method: thumbnail.crop ? "crop" : "scale",
    animated: "false",
  });
  return `/_matrix/client/v1/media/thumbnail/${place}?${query.toString()}`;
}

async function fetched(client: MatrixClient, path: string): Promise<Blob> {
  const response = await authedFetch(client, path);
  if (!response.ok) throw new Error(`The server answered ${String(response.status)}`);
  return response.blob();
}

/** A file as it was before it was sealed, if it was. */
async function load(client: MatrixClient, mxc: string, path: string): Promise<Blob> {
  const sealed = sealedAt(mxc);
  const blob = await fetched(client, path);
  if (!sealed) return blob;
  return unseal(blob, sealed);
}

/** What stands in for a small picture: a file of which the server made none. It does not move either. */
async function loadStill(client: MatrixClient, mxc: string, path: string): Promise<Blob> {
  return stopped(await load(client, mxc, path));
}

interface Wanted {
  readonly mxc: string;
  readonly path: string;
  readonly thumbnail: Thumbnail | null;
  /** Whether a file is shown where a small picture was asked for. */
  readonly still: boolean;
  /** Its name in the cache. */
  readonly key: string;
}

/** What to ask for: the server makes no small pictures of what it cannot read, but the sender may have. */
function wanted(client: MatrixClient, address: string, size: Thumbnail | null): Wanted | null {
  const sealed = sealedAt(address);
  const mxc = size && sealed?.thumbnail ? sealed.thumbnail.url : address;
  const thumbnail = sealed ? null : size;
  const still = size !== null && thumbnail === null;
  const path = pathOf(mxc, thumbnail);
  if (!path) return null;
  return { mxc, path, thumbnail, still, key: `${client.getHomeserverUrl()} ${path}${still ? " still" : ""}` };
}

function trim(): void {
  for (const [key, entry] of cache) {
    if (held <= LIMIT) return;
    if (entry.users > 0 || entry.url === null) continue;
    URL.revokeObjectURL(entry.url);
    held -= entry.size;
    cache.delete(key);
  }
}

function acquire(
  client: MatrixClient,
  address: string,
  size: Thumbnail | null,
): { key: string; entry: Entry } | null {
  const asked = wanted(client, address, size);
  if (!asked) return null;
  const { mxc, path, thumbnail, still, key } = asked;
  let entry = cache.get(key);
  if (entry) {
    cache.delete(key);
  } else {
    const fresh: Entry = {
      url: null,
      size: 0,
      users: 0,
      promise: (still ? loadStill : load)(client, mxc, path)
        .catch((error: unknown) => {
          // A file without a thumbnail is shown itself.
          const whole = thumbnail ? pathOf(mxc, null) : null;
          if (!whole) throw error;
          return loadStill(client, mxc, whole);
        })
        .then((blob) => {
          if (!DRAWN.test(blob.type)) throw new Error("Not a picture, film or sound");
          fresh.url = URL.createObjectURL(blob);
          fresh.size = blob.size;
          held += blob.size;
          trim();
          return fresh.url;
        }),
    };
    fresh.promise.catch(() => cache.delete(key));
    entry = fresh;
  }
  cache.set(key, entry);
  return { key, entry };
}

/** An address for <img>, <video> or <audio>: null until it is there. */
export function useMedia(
  mxc: string | null,
  thumbnail: Thumbnail | null = null,
): { readonly url: string | null; readonly failed: boolean } {
  const client = useClient();
  const width = thumbnail?.width ?? 0;
  const height = thumbnail?.height ?? 0;
  const crop = thumbnail?.crop ?? false;
  const id = `${mxc ?? ""} ${String(width)} ${String(height)} ${String(crop)}`;
  const [tries, setTries] = useState(0);
  const [state, setState] = useState<{ id: string; url: string | null; failed: boolean }>(() => ({
    id,
    url: mxc ? known(client, mxc, width > 0 ? { width, height, crop } : null) : null,
    failed: false,
  }));
  useEffect(() => {
    if (!mxc) return;
    const taken = acquire(client, mxc, width > 0 ? { width, height, crop } : null);
    if (!taken) {
      // eslint-disable-next-line react-hooks/set-state-in-effect -- an address that can never be fetched
      setState({ id, url: null, failed: true });
      return;
    }
    // What the lost connection kept away comes when that is back.
    const again = () => setTries((before) => before + 1);
    taken.entry.users += 1;
    const over = unlessOver(
      taken.entry.promise,
      (url) => setState({ id, url, failed: false }),
      () => {
        setState({ id, url: null, failed: true });
        addEventListener("online", again);
      },
    );
    return () => {
      over();
      removeEventListener("online", again);
      taken.entry.users -= 1;
      trim();
    };
  }, [client, mxc, width, height, crop, id, tries]);
  return state.id === id ? state : { url: null, failed: false };
}

function known(client: MatrixClient, address: string, size: Thumbnail | null): string | null {
  const asked = wanted(client, address, size);
  return asked ? (cache.get(asked.key)?.url ?? null) : null;
}

/** Puts a file onto this person's disk. */
export async function download(client: MatrixClient, mxc: string, name: string): Promise<void> {
  const path = pathOf(mxc, null);
  if (!path) throw new Error("Not an address of a file");
  const blob = await load(client, mxc, path);
  const url = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = plainName(name) || "file";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The largest file this server takes, in bytes, or null if it does not say. */
export async function uploadLimit(client: MatrixClient): Promise<number | null> {
  const config = await client.getMediaConfig(true).catch(() => null);
  return config?.["m.upload.size"] ?? null;
}
