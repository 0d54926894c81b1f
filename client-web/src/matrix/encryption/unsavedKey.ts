// A recovery key that was just made: it outlives the dialog that shows it until somebody says that they have it.

import type { MatrixClient } from "matrix-js-sdk";
import { useSyncExternalStore } from "react";

import { useClient } from "../MatrixProvider";
import { Signals } from "../signals";

const keys = new WeakMap<MatrixClient, string>();
const signals = new Signals();

/** A closing tab takes the key with it: the browser asks first. */
const ask = (event: BeforeUnloadEvent) => event.preventDefault();

/** Holds on to a key that nobody has saved yet; null lets go of it. */
export function holdKey(client: MatrixClient, key: string | null): void {
  if (key === null) {
    keys.delete(client);
    removeEventListener("beforeunload", ask);
  } else {
    keys.set(client, key);
    addEventListener("beforeunload", ask);
  }
  signals.notify("key");
}

const subscribe = (listener: () => void) => signals.subscribe("key", listener);

/** The key that nobody has saved yet, or null. */
export function useUnsavedKey(): string | null {
  const client = useClient();
  return useSyncExternalStore(subscribe, () => keys.get(client) ?? null);
}
