// The account data of this person: what follows them to every device.

import { ClientEvent, type MatrixClient } from "matrix-js-sdk";
import { useCallback, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";

/** The content of global account data, or null. */
export function useAccountData<T extends object>(type: string): T | null {
  const client = useClient();
  const subscribe = useCallback(
    (listener: () => void) => {
      const onEvent = (event: { getType(): string }) => {
        if (event.getType() === type) listener();
      };
      client.on(ClientEvent.AccountData, onEvent);
      return () => client.off(ClientEvent.AccountData, onEvent);
    },
    [client, type],
  );
  return useSyncExternalStore(subscribe, () => client.getAccountData(type as never)?.getContent<T>() ?? null);
}

/** Writes global account data. */
export async function setAccountData(client: MatrixClient, type: string, content: object): Promise<void> {
  await client.setAccountData(type as never, content as never);
}
