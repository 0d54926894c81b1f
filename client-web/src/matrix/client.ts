// Making and starting the SDK's client for a session.

import {
  createClient,
  IndexedDBStore,
  MemoryStore,
  PendingEventOrdering,
  type MatrixClient,
} from "matrix-js-sdk";

import { keepNamesApart } from "./lookalikes";
import { RoomQueues } from "./RoomQueues";
import { learnServerTime } from "./serverTime";
import { refreshSession, type Session } from "./session";

interface Tokens {
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
      const response = await fetch(input, { ...init, headers });
      learnServerTime(asked, Date.now(), response.headers.get("Date"));
      return response;
    };
    const used = tokens.access;
    const response = await send();
    if (!tokens.refresh || !(await isUnknownToken(response))) return response;
    if (used === tokens.access) {
      try {
        const fresh = await refreshSession(tokens.refresh);
        tokens.access = fresh.accessToken;
        tokens.refresh = fresh.refreshToken;
        renewed(fresh.accessToken);
      } catch {
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
  return new MemoryStore({ localStorage: undefined as unknown as Storage });
}

/** Makes the client of a session; nothing is asked yet. */
export function makeClient(session: Session): MatrixClient {
  const tokens: Tokens = { access: session.accessToken, refresh: session.refreshToken };
  const client: MatrixClient = createClient({
    baseUrl: session.baseUrl,
    userId: session.userId,
    deviceId: session.deviceId,
    accessToken: session.accessToken,
    store: storage(session),
    scheduler: new RoomQueues(),
    timelineSupport: true,
    disableVoip: true,
    fetchFn: fetching(tokens, (token) => client.setAccessToken(token)),
  });
  tokensOf.set(client, tokens);
  keepNamesApart(client);
  return client;
}

/** Reads the store, shows what it holds, and follows the server from there. */
export async function startClient(client: MatrixClient): Promise<void> {
  try {
    await client.store.startup();
  } catch {
    // The store cannot be opened: everything comes from the server.
  }
  await client.startClient({
    initialSyncLimit: 20,
    lazyLoadMembers: true,
    threadSupport: true,
    pendingEventOrdering: PendingEventOrdering.Detached,
  });
}

/** Writes what is known to the store while the page is being left or put aside. */
export function saveWhenHidden(client: MatrixClient): () => void {
  const save = () => {
    if (document.visibilityState === "hidden") void client.store.save(true);
  };
  document.addEventListener("visibilitychange", save);
  window.addEventListener("pagehide", save);
  return () => {
    document.removeEventListener("visibilitychange", save);
    window.removeEventListener("pagehide", save);
  };
}

/** Stops and removes everything of the session from this browser. */
export async function clearClient(client: MatrixClient): Promise<void> {
  client.stopClient();
  await client.clearStores().catch(() => undefined);
}
