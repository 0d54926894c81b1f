// How the connection of a client fares.

import { ClientEvent, type MatrixClient, type SyncStateData } from "matrix-js-sdk";

/** How far the session is: nothing yet, rooms of the last visit, following the server, or cut off. */
export type SyncStatus = "starting" | "cached" | "live" | "offline";

interface SyncWatch {
  readonly get: () => SyncStatus;
  readonly subscribe: (listener: () => void) => () => void;
}

const watches = new WeakMap<MatrixClient, SyncWatch>();

/** The watch over a client's connection; the same one each time. */
export function watchSync(client: MatrixClient): SyncWatch {
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
