// Who has read a message, and when they said so.

import { RoomEvent, type MatrixClient, type Room } from "matrix-js-sdk";
import { useCallback, useMemo, useSyncExternalStore } from "react";

import type { TimelineEvent } from "./events";
import { useClient } from "./MatrixProvider";
import type { Person } from "./people";
import { Snapshot } from "./signals";

/** Somebody who has read a message, or not yet. */
export interface Reader extends Person {
  /** When their reading arrived here; null if they have not read it. */
  readonly at: number | null;
}

/** Everybody else in the room: who has read a message first, the latest reader on top. */
export function readersIn(client: MatrixClient, event: TimelineEvent): readonly Reader[] {
  const room = client.getRoom(event.getRoomId());
  const id = event.getId();
  if (!room || !id) return [];
  const me = client.getUserId();
  return room
    .getJoinedMembers()
    .filter((member) => member.userId !== me && member.userId !== event.getSender())
    .map((member) => ({
      userId: member.userId,
      name: member.name,
      avatar: member.getMxcAvatarUrl() ?? null,
      at: readAt(room, member.userId, id),
    }))
    .sort((a, b) => (b.at ?? -1) - (a.at ?? -1) || a.name.localeCompare(b.name));
}

function readAt(room: Room, userId: string, eventId: string): number | null {
  if (!room.hasUserReadEvent(userId, eventId)) return null;
  // Who wrote something later has read it, though there may be no receipt.
  return room.getReadReceiptForUserId(userId)?.data.ts ?? 0;
}

const same = (a: readonly Reader[], b: readonly Reader[]) =>
  a.length === b.length && a.every((reader, at) => reader.userId === b[at]?.userId && reader.at === b[at].at);

/** The readers of a message, kept fresh while somebody looks. */
export function useReaders(event: TimelineEvent): readonly Reader[] {
  const client = useClient();
  const readers = useMemo(() => new Snapshot(() => readersIn(client, event), same), [client, event]);
  const subscribe = useCallback(
    (listener: () => void) => {
      const changed = (_event: unknown, room?: Room) => {
        if (room?.roomId === event.getRoomId()) listener();
      };
      client.on(RoomEvent.Receipt, changed);
      client.on(RoomEvent.Timeline, changed);
      return () => {
        client.off(RoomEvent.Receipt, changed);
        client.off(RoomEvent.Timeline, changed);
      };
    },
    [client, event],
  );
  return useSyncExternalStore(subscribe, readers.get);
}
