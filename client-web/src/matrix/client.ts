// Making and starting the SDK's client for a session.

import {
  createClient,
  Filter,
  IndexedDBStore,
  MemoryStore,
  PendingEventOrdering,
  User,
  type MatrixClient,
  type SetPresence,
} from "matrix-js-sdk";
import { logger } from "matrix-js-sdk/lib/logger";

import { askAhead } from "./askAhead";
import { draftsOf } from "./drafts";
import { encryptionOf, storeName } from "./encryption/Encryption";
import { methodsWith } from "./encryption/methods";
import { secretKeys } from "./encryption/secretKeys";
import { whileHere } from "./leaving";
import { keepNamesApart } from "./lookalikes";
import { RoomQueues } from "./RoomQueues";
import { learnServerTime } from "./serverTime";
import { isPassing, refreshSession, type Session } from "./session";
import { tellStorageTrouble } from "./storageTrouble";
import { recallVersions } from "./versions";
import { fetchAwake } from "./waking";

// A line for each request and event, formatted whether or not somebody looks, is work on every page.
(logger as unknown as { setLevel: (level: "warn", persist: boolean) => void }).setLevel("warn", false);

interface Tokens {
  readonly session: Session;
  access: string;
  refresh: string | undefined;
}

const tokensOf = new WeakMap<MatrixClient, Tokens>();

async function isUnknownToken(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const body = (await response
    .clone()
    .json()
    .catch(() => ({}))) as { errcode?: string };
  return body.errcode === "M_UNKNOWN_TOKEN";
}

/** Whether the server answers only when it has something to tell. */
function isLongPoll(input: RequestInfo | URL): boolean {
  return (
    input instanceof URL && input.pathname.endsWith("/v3/sync") && input.searchParams.get("timeout") !== "0"
  );
}

/** So long, in ms, an answer to what somebody wrote is waited for: it is sent again then, and the server takes it once. */
const PATIENCE = 60_000;

function patience(input: RequestInfo | URL, init?: RequestInit): { signal?: AbortSignal } {
  if (init?.method !== "PUT" || !(input instanceof URL) || !/\/(send|redact)\//.test(input.pathname))
    return {};
  const late = AbortSignal.timeout(PATIENCE);
  if (!init.signal) return { signal: late };
  // Browsers of before 2024 cannot wait for two: the SDK's own comes first.
  return typeof AbortSignal.any === "function" ? { signal: AbortSignal.any([init.signal, late]) } : {};
}

/**
 * All requests of a session go through here: the current token is put in, renewed once if the server no longer takes it, and the
 * server's clock is read from the answer.
 */
function fetching(tokens: Tokens, renewed: (token: string) => void): typeof fetch {
  return async (input, init) => {
    const send = async (): Promise<Response> => {
      const headers = new Headers(init?.headers);
      if (headers.has("Authorization")) headers.set("Authorization", `Bearer ${tokens.access}`);
      const asked = Date.now();
      const ask = isLongPoll(input) ? fetchAwake : fetch;
      const response = await whileHere(ask(input, { ...init, headers, ...patience(input, init) }));
      learnServerTime(asked, Date.now(), response.headers.get("Date"));
      return response;
    };
    const used = tokens.access;
    const response = await send();
    if (!tokens.refresh || !(await isUnknownToken(response))) return response;
    if (used === tokens.access) {
      try {
        const fresh = await refreshSession(tokens.session, tokens.refresh);
        tokens.access = fresh.accessToken;
        tokens.refresh = fresh.refreshToken;
        renewed(fresh.accessToken);
      } catch (refusal) {
        // Whether the session goes on is not known while nobody says so: to the SDK the connection is lost, and it tries again.
        if (isPassing(refusal)) throw new TypeError("Failed to fetch", { cause: refusal });
        return response;
      }
    }
    return send();
  };
}

/** A request with the session's token, for what the SDK has no call for (media, Orvale's own endpoints). */
export function authedFetch(client: MatrixClient, path: string, init?: RequestInit): Promise<Response> {
  const tokens = tokensOf.get(client);
  const headers = new Headers(init?.headers);
  headers.set("Authorization", "Bearer");
  const url = new URL(path, client.getHomeserverUrl());
  if (!tokens)
    return fetch(url, { ...init, headers: { Authorization: `Bearer ${client.getAccessToken() ?? ""}` } });
  return fetching(tokens, (token) => client.setAccessToken(token))(url, { ...init, headers });
}

function storage(session: Session): IndexedDBStore | MemoryStore {
  const names = globalThis as { indexedDB?: IDBFactory; localStorage?: Storage };
  try {
    if (names.indexedDB && names.localStorage) {
      return new IndexedDBStore({
        indexedDB: names.indexedDB,
        localStorage: names.localStorage,
        dbName: `orvale:${session.userId}:${session.deviceId}`,
      });
    }
  } catch {
    // Private mode: no storage.
  }
  return memory();
}

const memory = () => new MemoryStore({ localStorage: undefined as unknown as Storage });

/** So long, in ms, what the last visit left is waited for: a browser holds it back while another page that had it does not end. */
const STORE_PATIENCE = 5_000;

/** Opens the store; where that fails or does not end, the visit does without. */
async function openStore(client: MatrixClient): Promise<void> {
  const late = new Promise<never>((_, failed) => {
    setTimeout(() => failed(new Error("The store does not open")), STORE_PATIENCE);
  });
  try {
    await Promise.race([client.store.startup(), late]);
  } catch {
    const store = memory();
    store.setUserCreator((userId) => User.createUser(userId, client));
    client.store = store;
    tellStorageTrouble();
  }
}

/** Makes the client of a session; nothing is asked yet. */
export function makeClient(session: Session): MatrixClient {
  const tokens: Tokens = { session, access: session.accessToken, refresh: session.refreshToken };
  const client: MatrixClient = createClient({
    baseUrl: session.baseUrl,
    userId: session.userId,
    deviceId: session.deviceId,
    accessToken: session.accessToken,
    store: storage(session),
    scheduler: new RoomQueues(),
    timelineSupport: true,
    disableVoip: true,
    cryptoCallbacks: secretKeys,
    verificationMethods: methodsWith(false),
    fetchFn: fetching(tokens, (token) => client.setAccessToken(token)),
  });
  tokensOf.set(client, tokens);
  encryptionOf(client);
  keepNamesApart(client);
  return client;
}

/** So many messages a room are read at first by who is in a few, and told at most at once later: a burst in an open room leaves no gap. */
const MESSAGES = 20;
/** So many over all rooms by who is in many; whatever is missing is read when a room is opened. */
const ALL_MESSAGES = 4_000;
const FEWEST = 3;

/** How many messages of each of so many rooms the first answer of the server brings. */
export function firstMessages(rooms: number): number {
  return Math.max(FEWEST, Math.min(MESSAGES, Math.floor(ALL_MESSAGES / Math.max(rooms, 1))));
}

function countRooms(client: MatrixClient): Promise<number> {
  return client.getJoinedRooms().then(
    ({ joined_rooms }) => joined_rooms.length,
    () => 0,
  );
}

/** What every answer of the server but the first brings: without it ten messages of a room, and a gap where more were said. */
function everydayFilter(client: MatrixClient): Filter {
  const filter = new Filter(client.getSafeUserId());
  filter.setTimelineLimit(MESSAGES);
  filter.setUnreadThreadNotifications(true);
  return filter;
}

/** Up to which answer of the server the store holds what is known. */
const writtenUpTo = new WeakMap<MatrixClient, string>();

/** Reads the store, shows what it holds, and follows the server from there; answers whether it holds anything. */
export async function startClient(client: MatrixClient): Promise<boolean> {
  askAhead(client);
  client.store.on?.("degraded", tellStorageTrouble);
  if (client.store instanceof MemoryStore && !(client.store instanceof IndexedDBStore)) tellStorageTrouble();
  await openStore(client);
  // An empty store answers with nothing at all, whatever the SDK's types say.
  const kept = (await client.store.getSavedSyncToken().catch(() => null)) ?? null;
  if (kept !== null) writtenUpTo.set(client, kept);
  const [rooms] = await Promise.all([kept === null ? countRooms(client) : 0, recallVersions(client)]);
  const me = client.getSafeUserId();
  const own = client.store.getUser(me) ?? User.createUser(me, client);
  const started = client.startClient({
    filter: everydayFilter(client),
    initialSyncLimit: firstMessages(rooms),
    lazyLoadMembers: true,
    threadSupport: true,
    pendingEventOrdering: PendingEventOrdering.Detached,
  });
  // The SDK has put somebody of whom nothing is known there: the server tells again only what has changed since the last visit.
  client.store.storeUser(own);
  await started;
  // Before the first sync, which would tell everybody that this person is online.
  const presence = keptPresence(me);
  if (presence) await client.setSyncPresence(presence as SetPresence);
  return kept !== null;
}

const PRESENCE = "orvale.presence ";

/** What the syncs of this browser said of somebody last. */
function keptPresence(userId: string): string | null {
  try {
    return localStorage.getItem(PRESENCE + userId);
  } catch {
    return null;
  }
}

/** What the syncs of this person say of them, from now on and on the next visit. */
export async function tellPresence(client: MatrixClient, presence: string): Promise<void> {
  try {
    localStorage.setItem(PRESENCE + client.getSafeUserId(), presence);
  } catch {
    // The next visit begins as online, until the profile is read.
  }
  await client.setSyncPresence(presence as SetPresence);
}

/** Writes what is known to the store while the page is being left or put aside, if the server has told anything since it was written. */
export function saveWhenHidden(client: MatrixClient): () => void {
  const save = () => {
    const told = client.store.getSyncToken();
    if (document.visibilityState !== "hidden" || told === writtenUpTo.get(client)) return;
    if (told !== null) writtenUpTo.set(client, told);
    void client.store.save(true);
  };
  document.addEventListener("visibilitychange", save);
  // Both come when a page is left, in some browsers only this one.
  window.addEventListener("pagehide", save);
  return () => {
    document.removeEventListener("visibilitychange", save);
    window.removeEventListener("pagehide", save);
  };
}

/** So long, in ms, who logs out waits for what this browser kept to be gone. */
const CLEARING = 2_000;

/** Stops and removes everything of the session from this browser. */
export async function clearClient(client: MatrixClient): Promise<void> {
  encryptionOf(client).stop();
  encryptionOf(client).forget();
  secretKeys.forget();
  draftsOf(client.getSafeUserId()).forget();
  client.stopClient();
  const cleared = client.clearStores({ cryptoDatabasePrefix: storeName(client) }).catch(() => undefined);
  // What is left of a verification keeps the store of the keys open until the browser collects it, and the browser deletes it then. What
  // is in it cannot be read any more: its key goes with the session.
  await Promise.race([cleared, new Promise((late) => setTimeout(late, CLEARING))]);
}
