// Who is there, and what they say about themselves.

import { UserEvent, type MatrixClient, type User } from "matrix-js-sdk";
import { useCallback, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";
import { sameShape, Signals } from "./signals";

/** Presence as a shape and a text. */
export interface Presence {
  readonly state: "online" | "away" | "busy" | "offline";
  readonly status: string;
}

const AWAY: Presence = { state: "offline", status: "" };

class PresenceStore {
  private readonly signals = new Signals();
  private readonly known = new Map<string, Presence>();
  private readonly client: MatrixClient;

  constructor(client: MatrixClient) {
    this.client = client;
    const changed = (_event: unknown, user: User) => this.signals.notify(user.userId);
    client.on(UserEvent.Presence, changed);
    client.on(UserEvent.CurrentlyActive, changed);
    client.on(UserEvent.LastPresenceTs, changed);
  }

  subscribe(userId: string, listener: () => void): () => void {
    return this.signals.subscribe(userId, listener);
  }

  get(userId: string): Presence {
    const user = this.client.getUser(userId);
    const before = this.known.get(userId) ?? AWAY;
    const told: string = user?.presence ?? "offline";
    const next: Presence = {
      state:
        told === "online"
          ? "online"
          : told === "unavailable"
            ? "away"
            : told === "busy" || told === "org.matrix.msc3026.busy"
              ? "busy"
              : "offline",
      status: user?.presenceStatusMsg ?? "",
    };
    if (sameShape(before, next)) return before;
    this.known.set(userId, next);
    return next;
  }
}

const stores = new WeakMap<MatrixClient, PresenceStore>();

function presenceStore(client: MatrixClient): PresenceStore {
  let store = stores.get(client);
  if (!store) {
    store = new PresenceStore(client);
    stores.set(client, store);
  }
  return store;
}

/** Somebody's presence; offline for nobody. */
export function usePresence(userId: string | null): Presence {
  const store = presenceStore(useClient());
  const subscribe = useCallback(
    (listener: () => void) => (userId ? store.subscribe(userId, listener) : () => undefined),
    [store, userId],
  );
  return useSyncExternalStore(subscribe, () => (userId ? store.get(userId) : AWAY));
}
