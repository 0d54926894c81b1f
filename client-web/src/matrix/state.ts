// State events of a room.

import { RoomStateEvent, type MatrixEvent } from "matrix-js-sdk";
import { useCallback, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";

const contents = new WeakMap<MatrixEvent, object>();

/** A redacted event makes a new empty content each time it is asked. */
function kept(event: MatrixEvent): object {
  const content = event.getContent();
  const before = contents.get(event);
  if (before && (before === content || Object.keys(content).length === 0)) return before;
  contents.set(event, content);
  return content;
}

/** The content of a state event, or null. Its identity stays while the event does. */
export function useStateEvent<T extends object>(roomId: string, type: string, stateKey = ""): T | null {
  const client = useClient();
  const subscribe = useCallback(
    (listener: () => void) => {
      const room = client.getRoom(roomId);
      const onEvent = (event: { getType(): string; getStateKey(): string | undefined }) => {
        if (event.getType() === type && event.getStateKey() === stateKey) listener();
      };
      room?.currentState.on(RoomStateEvent.Events, onEvent);
      return () => room?.currentState.off(RoomStateEvent.Events, onEvent);
    },
    [client, roomId, type, stateKey],
  );
  return useSyncExternalStore(subscribe, () => {
    const event = client.getRoom(roomId)?.currentState.getStateEvents(type, stateKey);
    return event ? (kept(event) as T) : null;
  });
}
