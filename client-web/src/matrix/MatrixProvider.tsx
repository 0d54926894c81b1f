// The session's client for everything below, and how its connection fares.

import type { MatrixClient } from "matrix-js-sdk";
import {
  createContext,
  use,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from "react";

import { clearClient } from "./client";
import { recalledClient, take } from "./running";
import { endSession, forgetSession, type Session, softenSession } from "./session";
import { onEndedElsewhere, tellEnded } from "./sessionEnd";
import { watchSync, type SyncStatus } from "./syncStatus";

export type { SyncStatus } from "./syncStatus";

const ClientContext = createContext<MatrixClient | null>(null);

/**
 * Runs the session's client and hands it to what is below: as soon as the rooms of the last visit are there, so that they are in the
 * first picture and nothing is drawn twice.
 */
export function MatrixProvider({
  session,
  onLoggedOut,
  waiting,
  children,
}: {
  session: Session;
  /** The server ended the session (or this person did). */
  onLoggedOut: (why?: "ended") => void;
  /** Shown until then. */
  waiting: ReactNode;
  children: ReactNode;
}): ReactNode {
  const [client, setClient] = useState<MatrixClient | null>(() => recalledClient(session));

  useEffect(() => {
    const { client: fresh, recalled, onEnded, stop } = take(session);
    let stopped = false;
    const clear = (why?: "ended") => {
      void Promise.all([clearClient(fresh), forgetSession(session)]).finally(() => onLoggedOut(why));
    };
    onEnded((soft) => {
      if (stopped) return;
      if (!soft) {
        clear("ended");
        return;
      }
      // Keys, rooms and what waits to be sent stay for who logs in again.
      fresh.stopClient();
      void softenSession().finally(() => onLoggedOut());
    });
    const stopListening = onEndedElsewhere(session, () => clear());
    ends.set(fresh, clear);
    void recalled.then(() => {
      if (!stopped) setClient(fresh);
    });
    return () => {
      stopped = true;
      stopListening();
      stop();
    };
  }, [session, onLoggedOut]);

  if (!client) return waiting;
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

function whose(client: MatrixClient): { userId: string; deviceId: string } {
  return { userId: client.getSafeUserId(), deviceId: client.getDeviceId() ?? "" };
}

/** Logging out: ends the session at the server and removes what this browser kept. */
export function useLogOut(): () => Promise<void> {
  const client = useClient();
  return useMemo(
    () => async () => {
      await endSession({
        baseUrl: client.getHomeserverUrl(),
        ...whose(client),
        accessToken: client.getAccessToken() ?? "",
      });
      await clearClient(client);
      tellEnded(whose(client));
    },
    [client],
  );
}

const ends = new WeakMap<MatrixClient, () => void>();

/** Removes the session from this browser, all tabs, without a word to the server: there it is over already. */
export function useEndHere(): () => Promise<void> {
  const client = useClient();
  return useMemo(
    () => () => {
      tellEnded(whose(client));
      ends.get(client)?.();
      return Promise.resolve();
    },
    [client],
  );
}
