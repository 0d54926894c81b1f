// Keeping order in a room: who is in it, who may write, what role somebody has, what is reported.

import { Method, type MatrixClient } from "matrix-js-sdk";

import { ROLES, type Role } from "./channel";

/** Who took somebody the right to write, when and why. */
export interface Block {
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

/** The type of the state event that says so. */
export const BLOCK = "com.orvale.member.block";

/** Its state key for somebody: without the `@`, for state under one's user ID may be sent by oneself alone. */
export function blockKey(userId: string): string {
  return userId.replace(/^@/, "");
}

/** The content of `com.orvale.member.block`; null where nobody is blocked. */
export function readBlock(content: unknown): Block | null {
  const given = (typeof content === "object" && content !== null ? content : {}) as Record<string, unknown>;
  const { by, at, reason } = given;
  if (typeof by !== "string" || typeof at !== "number") return null;
  return { by, at, reason: typeof reason === "string" ? reason : "" };
}

const because = (reason: string) => reason.trim() || undefined;

/** Invites somebody. */
export async function invite(client: MatrixClient, roomId: string, userId: string): Promise<void> {
  await client.invite(roomId, userId);
}

/** Removes somebody, or takes an invitation or a request back. */
export async function remove(
  client: MatrixClient,
  roomId: string,
  userId: string,
  reason = "",
): Promise<void> {
  await client.kick(roomId, userId, because(reason));
}

/** Removes somebody who is not to come back. */
export async function ban(client: MatrixClient, roomId: string, userId: string, reason = ""): Promise<void> {
  await client.ban(roomId, userId, because(reason));
}

/** Lets somebody come back. */
export async function unban(client: MatrixClient, roomId: string, userId: string): Promise<void> {
  await client.unban(roomId, userId);
}

/** Gives somebody a role. */
export async function setRole(
  client: MatrixClient,
  roomId: string,
  userId: string,
  role: Role,
): Promise<void> {
  await client.setPowerLevel(roomId, userId, role === "member" ? undefined : ROLES[role]);
}

/** Takes somebody the right to write, and writes down who did. */
export async function blockPosting(
  client: MatrixClient,
  roomId: string,
  userId: string,
  reason: string,
): Promise<void> {
  await setRole(client, roomId, userId, "blocked");
  const block: Block = { by: client.getSafeUserId(), at: Date.now(), reason: reason.trim() };
  await client.sendStateEvent(roomId, BLOCK as never, block as never, blockKey(userId));
}

/** Gives the right to write back. */
export async function unblockPosting(client: MatrixClient, roomId: string, userId: string): Promise<void> {
  await setRole(client, roomId, userId, "member");
  await client.sendStateEvent(roomId, BLOCK as never, {} as never, blockKey(userId));
}

/** Reports a message to whoever runs the server. */
export async function reportMessage(
  client: MatrixClient,
  roomId: string,
  eventId: string,
  reason: string,
): Promise<void> {
  await client.reportEvent(roomId, eventId, -100, reason.trim());
}

/** Reports a person to whoever runs the server. */
export async function reportPerson(client: MatrixClient, userId: string, reason: string): Promise<void> {
  const path = `/users/${encodeURIComponent(userId)}/report`;
  await client.http.authedRequest(Method.Post, path, undefined, { reason: reason.trim() });
}

/** Ignores somebody on all of one's devices, or no longer. */
export async function setIgnored(client: MatrixClient, userId: string, ignored: boolean): Promise<void> {
  const others = client.getIgnoredUsers().filter((other) => other !== userId);
  await client.setIgnoredUsers(ignored ? [...others, userId] : others);
}

/** The account data in which they are listed. */
export const IGNORED = "m.ignored_user_list";

/** Whether somebody is in the list. */
export function isIgnored(list: object | null, userId: string): boolean {
  const users = (list as { ignored_users?: Record<string, unknown> } | null)?.ignored_users;
  return users !== undefined && userId in users;
}
