// What this person does with a room as a whole.

import { EventType, KnownMembership, PushRuleKind, type MatrixClient } from "matrix-js-sdk";

import { notifyLevel, type NotifyLevel } from "./roomSummary";

/** Where a room stands in its section: at the top, in its order, or at the end. */
export type Weight = "pinned" | "normal" | "low";

/** Pins a room to the top of its section, puts it at the end, or neither. */
export async function setWeight(client: MatrixClient, roomId: string, weight: Weight): Promise<void> {
  const tags = client.getRoom(roomId)?.tags ?? {};
  if (weight !== "pinned" && "m.favourite" in tags) await client.deleteRoomTag(roomId, "m.favourite");
  if (weight !== "low" && "m.lowpriority" in tags) await client.deleteRoomTag(roomId, "m.lowpriority");
  if (weight === "pinned") await client.setRoomTag(roomId, "m.favourite", { order: 0.5 });
  if (weight === "low") await client.setRoomTag(roomId, "m.lowpriority", { order: 0.5 });
}

/** Sets when a room makes itself heard, by push rules every client understands. */
export async function setNotifyLevel(
  client: MatrixClient,
  roomId: string,
  level: NotifyLevel,
): Promise<void> {
  const remove = (kind: PushRuleKind) => client.deletePushRule("global", kind, roomId).catch(() => undefined);
  const before = notifyLevel(client, roomId);
  if (before === level) return;
  if (before === "none") await remove(PushRuleKind.Override);
  if (before === "mentions") await remove(PushRuleKind.RoomSpecific);
  if (level === "none") {
    await client.addPushRule("global", PushRuleKind.Override, roomId, {
      actions: [],
      conditions: [{ kind: "event_match", key: "room_id", pattern: roomId }],
    } as never);
  } else if (level === "mentions") {
    await client.addPushRule("global", PushRuleKind.RoomSpecific, roomId, { actions: [] });
  }
}

/** Marks a room unread for later, or takes that back. */
export async function setMarkedUnread(client: MatrixClient, roomId: string, unread: boolean): Promise<void> {
  await client.setRoomAccountData(roomId, "m.marked_unread" as never, { unread } as never);
}

/** Accepts an invitation or joins by id or alias; answers with the room's id. */
export async function joinRoom(client: MatrixClient, roomIdOrAlias: string): Promise<string> {
  const inviter = directInviter(client, roomIdOrAlias);
  // At once: the room stands among the direct messages when it comes. Without the list it is a group of two, and one can write.
  if (inviter) listDirect(client, inviter, roomIdOrAlias).catch(() => undefined);
  const room = await client.joinRoom(roomIdOrAlias);
  return room.roomId;
}

/** Who asks this person to a conversation of two. */
function directInviter(client: MatrixClient, roomId: string): string | null {
  const asked = client.getRoom(roomId)?.getMember(client.getSafeUserId())?.events.member;
  const { membership, is_direct: direct } = asked?.getContent() ?? {};
  return membership === KnownMembership.Invite && direct === true ? (asked?.getSender() ?? null) : null;
}

/** Notes a room as a conversation of two with somebody, for all clients of this person: nobody else can. */
export async function listDirect(client: MatrixClient, userId: string, roomId: string): Promise<void> {
  const direct = client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>() ?? {};
  await client.setAccountData(EventType.Direct, {
    ...direct,
    [userId]: [...new Set([...(direct[userId] ?? []), roomId])],
  });
}

/** Leaves a room, declines its invitation, or takes back having asked to be let in. */
export async function leaveRoom(client: MatrixClient, roomId: string): Promise<void> {
  await client.leave(roomId);
}

/** Leaves a room and lets go of its messages. */
export async function forgetRoom(client: MatrixClient, roomId: string): Promise<void> {
  await client.leave(roomId);
  await client.forget(roomId, true);
}
