// The session's client for everything below, and how its connection fares.

import { ClientEvent, HttpApiEvent, type MatrixClient, type SyncStateData } from "matrix-js-sdk";
import {
  createContext,
  use,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from "react";

import { clearClient, makeClient, saveWhenHidden, startClient } from "./client";
import { Outbox } from "./Outbox";
import { endSession, forgetSession, type Session } from "./session";

const ClientContext = createContext<MatrixClient | null>(null);

/** How far the session is: nothing yet, rooms of the last visit, following the server, or cut off. */
export type SyncStatus = "starting" | "cached" | "live" | "offline";

interface SyncWatch {
  readonly get: () => SyncStatus;
  readonly subscribe: (listener: () => void) => () => void;
}

const watches = new WeakMap<MatrixClient, SyncWatch>();

function watchSync(client: MatrixClient): SyncWatch {
  const known = watches.get(client);
  if (known) return known;
  const listeners = new Set<() => void>();
  let status: SyncStatus = "starting";
  client.on(ClientEvent.Sync, (state: string, _before: string | null, data?: SyncStateData) => {
    let next: SyncStatus = status;
    if (state === "PREPARED") next = data?.fromCache ? "cached" : "live";
    else if (state === "SYNCING") next = "live";
    else if (state === "ERROR" || state === "RECONNECTING") next = "offline";
    else if (state === "STOPPED") next = "starting";
    if (next === status) return;
    status = next;
    for (const listener of listeners) listener();
  });
  const watch: SyncWatch = {
    get: () => status,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  watches.set(client, watch);
  return watch;
}

/** Starts the session's client and hands it to what is below. */
export function MatrixProvider({
  session,
  onLoggedOut,
  children,
}: {
  session: Session;
  /** The server ended the session (or this person did). */
  onLoggedOut: () => void;
  children: ReactNode;
}): ReactNode {
  const [client, setClient] = useState<MatrixClient | null>(null);

  useEffect(() => {
    const fresh = makeClient(session);
    watchSync(fresh);
    const stopOutbox = new Outbox(fresh).start();
    const stopSaving = saveWhenHidden(fresh);
    const onEnded = () => {
      void Promise.all([clearClient(fresh), forgetSession()]).finally(onLoggedOut);
    };
    fresh.on(HttpApiEvent.SessionLoggedOut, onEnded);
    // The client is made and stopped by this effect, so that a second mount never leaves two of them behind.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setClient(fresh);
    void startClient(fresh);
    return () => {
      fresh.off(HttpApiEvent.SessionLoggedOut, onEnded);
      stopOutbox();
      stopSaving();
      fresh.stopClient();
    };
  }, [session, onLoggedOut]);

  if (!client) return null;
  return <ClientContext value={client}>{children}</ClientContext>;
}

/** Gives a client that was made elsewhere (tests). */
export function ClientProvider({
  client,
  children,
}: {
  client: MatrixClient;
  children: ReactNode;
}): ReactNode {
  return <ClientContext value={client}>{children}</ClientContext>;
}

/** The session's client. */
export function useClient(): MatrixClient {
  const client = use(ClientContext);
  if (!client) throw new Error("useClient needs a MatrixProvider above");
  return client;
}

/** How the connection fares. */
export function useSyncState(): SyncStatus {
  const watch = watchSync(useClient());
  return useSyncExternalStore(watch.subscribe, watch.get);
}

/** The user id of this session. */
export function useUserId(): string {
  return useClient().getSafeUserId();
}

/** Logging out: ends the session at the server and removes what this browser kept. */
export function useLogOut(): () => Promise<void> {
  const client = useClient();
  return useMemo(
    () => async () => {
      await endSession({
        baseUrl: client.getHomeserverUrl(),
        userId: client.getSafeUserId(),
        deviceId: client.getDeviceId() ?? "",
        accessToken: client.getAccessToken() ?? "",
      });
      await clearClient(client);
    },
    [client],
  );
}
