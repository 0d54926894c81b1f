// That this person is not in a room any more because somebody else wanted it so.

import { KnownMembership, type MatrixClient } from "matrix-js-sdk";

/** Who put this person out of a room, and why. */
export interface Removal {
  /** The room's name, as it was known. */
  readonly room: string;
  readonly banned: boolean;
  readonly by: string;
  readonly reason: string;
}

/** How this person was put out of a room; null for who left by themselves, or is not known to have been there. */
export function removalFrom(client: MatrixClient, roomId: string): Removal | null {
  const me = client.getSafeUserId();
  const room = client.getRoom(roomId);
  const event = room?.getMember(me)?.events.member;
  const by = event?.getSender();
  if (!room || !event || !by || by === me) return null;
  const { membership, reason } = event.getContent();
  const banned = membership === KnownMembership.Ban;
  // Who takes an invitation back has put nobody out.
  const was: unknown = event.getPrevContent()["membership"];
  if (!banned && (membership !== KnownMembership.Leave || was !== KnownMembership.Join)) return null;
  return {
    room: room.name,
    banned,
    by: room.getMember(by)?.rawDisplayName ?? by,
    reason: typeof reason === "string" ? reason.trim() : "",
  };
}
