// Messages that a room keeps at hand for everybody: m.room.pinned_events.

import type { MatrixClient } from "matrix-js-sdk";
import { useMemo } from "react";

import { useStateEvent } from "./state";

const NONE: readonly string[] = [];

function pinnedIn(content: { pinned?: unknown } | null): readonly string[] {
  const pinned = content?.pinned;
  if (!Array.isArray(pinned)) return NONE;
  return pinned.filter((id): id is string => typeof id === "string");
}

/** The pinned messages of a room, the one pinned last at the end. */
export function usePinned(roomId: string): readonly string[] {
  const content = useStateEvent<{ pinned?: unknown }>(roomId, "m.room.pinned_events");
  return useMemo(() => pinnedIn(content), [content]);
}

/** Pins a message for everybody, or takes it down. */
export async function setPin(
  client: MatrixClient,
  roomId: string,
  eventId: string,
  pinned: boolean,
): Promise<void> {
  const now = pinnedIn(
    client.getRoom(roomId)?.currentState.getStateEvents("m.room.pinned_events", "")?.getContent() ?? null,
  );
  const others = now.filter((id) => id !== eventId);
  await client.sendStateEvent(
    roomId,
    "m.room.pinned_events" as never,
    { pinned: pinned ? [...others, eventId] : others } as never,
    "",
  );
}
