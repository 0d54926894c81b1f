// Everything this person says: messages, answers, edits, reactions, deletions, files.

import { EventStatus, type MatrixClient, type MatrixEvent } from "matrix-js-sdk";

import type { TimelineEvent } from "./events";
import { awaited, isRefused } from "./Outbox";
import { findEvent } from "./timeline";

/** A written message, ready to go. */
export interface Outgoing {
  readonly body: string;
  readonly html: string | null;
  /** User ids named in it. */
  readonly mentions: readonly string[];
  readonly room?: boolean;
  readonly kind?: "m.text" | "m.emote" | "m.notice";
}

/** Where a message belongs. */
export interface Place {
  readonly roomId: string;
  readonly threadId?: string | null;
  readonly replyTo?: string | null;
}

function textContent(message: Outgoing): Record<string, unknown> {
  return {
    msgtype: message.kind ?? "m.text",
    body: message.body,
    ...(message.html === null ? {} : { format: "org.matrix.custom.html", formatted_body: message.html }),
    "m.mentions": {
      ...(message.mentions.length > 0 ? { user_ids: [...message.mentions] } : {}),
      ...(message.room ? { room: true } : {}),
    },
  };
}

/** What a message says of where it belongs. */
export function relation(client: MatrixClient, place: Place): Record<string, unknown> {
  const answered = place.replyTo ? { "m.in_reply_to": { event_id: place.replyTo } } : {};
  if (place.threadId) {
    const room = client.getRoom(place.roomId);
    const last = room?.getThread(place.threadId)?.replyToEvent?.getId() ?? place.threadId;
    return {
      "m.relates_to": {
        rel_type: "m.thread",
        event_id: place.threadId,
        // For clients without threads: each message answers the one before.
        ...(place.replyTo
          ? { ...answered, is_falling_back: false }
          : { "m.in_reply_to": { event_id: last }, is_falling_back: true }),
      },
    };
  }
  return place.replyTo ? { "m.relates_to": answered } : {};
}

/** The outbox takes care of what could not be sent; nobody has to wait for it. */
function letGo(sending: Promise<unknown>): void {
  sending.catch(() => undefined);
}

function dispatch(
  client: MatrixClient,
  roomId: string,
  type: string,
  content: object,
  threadId: string | null = null,
): void {
  letGo(client.sendEvent(roomId, threadId, type as never, content as never));
}

/** Sends a message; it stands in the timeline at once. */
export function sendMessage(client: MatrixClient, place: Place, message: Outgoing): void {
  const content = textContent(message);
  if (place.replyTo) {
    // Whoever is answered is meant.
    const answered = findEvent(client, place.roomId, place.replyTo)?.getSender();
    const mentions = content["m.mentions"] as { user_ids?: string[] };
    if (answered && answered !== client.getUserId()) {
      content["m.mentions"] = {
        ...mentions,
        user_ids: [...new Set([...(mentions.user_ids ?? []), answered])],
      };
    }
  }
  dispatch(
    client,
    place.roomId,
    "m.room.message",
    { ...content, ...relation(client, place) },
    place.threadId ?? null,
  );
}

/** Replaces what a message says. */
export function sendEdit(client: MatrixClient, event: TimelineEvent, message: Outgoing): void {
  const fresh = textContent(message);
  const before = (event.getOriginalContent()["m.mentions"]?.user_ids ?? []) as readonly string[];
  const added = message.mentions.filter((userId) => !before.includes(userId));
  // A change before this one that was refused is not wanted any more.
  const refused = event.replacingEvent();
  if (refused && isRefused(refused)) client.cancelPendingEvent(refused);
  dispatch(
    client,
    event.getRoomId()!,
    "m.room.message",
    {
      ...fresh,
      body: `* ${message.body}`,
      ...(message.html === null ? {} : { formatted_body: `* ${message.html}` }),
      // Only those who were not named before are told.
      "m.mentions": added.length > 0 ? { user_ids: added } : {},
      "m.new_content": fresh,
      "m.relates_to": { rel_type: "m.replace", event_id: event.getId()! },
    },
    event.threadRootId && event.threadRootId !== event.getId() ? event.threadRootId : null,
  );
}

/** Adds a reaction, or takes one's own back. */
export function toggleReaction(
  client: MatrixClient,
  event: TimelineEvent,
  emoji: string,
  own: string | null,
): void {
  const roomId = event.getRoomId()!;
  if (own === null) {
    dispatch(client, roomId, "m.reaction", {
      "m.relates_to": { rel_type: "m.annotation", event_id: event.getId()!, key: emoji },
    });
    return;
  }
  const pending = client
    .getRoom(roomId)
    ?.getPendingEvents()
    .find((other) => other.getId() === own);
  if (pending && (pending.status === EventStatus.NOT_SENT || pending.status === EventStatus.QUEUED))
    client.cancelPendingEvent(pending);
  else letGo(client.redactEvent(roomId, own));
}

/** Deletes a message for everybody, now or when the connection is back. The refusal of the server comes back as an error. */
export async function deleteMessage(
  client: MatrixClient,
  event: TimelineEvent,
  reason?: string,
): Promise<void> {
  const roomId = event.getRoomId()!;
  const id = event.getId()!;
  awaited.add(id);
  try {
    await client.redactEvent(roomId, id, undefined, reason ? { reason } : undefined);
  } catch (refusal) {
    const waits = client
      .getRoom(roomId)
      ?.getPendingEvents()
      .some((other) => other.isRedaction() && other.getAssociatedId() === id && !isRefused(other));
    if (!waits) throw refusal;
  } finally {
    awaited.delete(id);
  }
}

/** What of a message is not at the server yet: the message, or the last change of it. */
function unsent(event: TimelineEvent): TimelineEvent | null {
  return event.status ? event : event.replacingEvent();
}

/** Tries a message again, or a change of one, that could not be sent. */
export function resend(client: MatrixClient, event: TimelineEvent): void {
  const room = client.getRoom(event.getRoomId());
  const waiting = unsent(event);
  if (room && waiting?.status === EventStatus.NOT_SENT) letGo(client.resendEvent(waiting, room));
}

/** Gives up a message, or a change of one, that could not be sent. */
export function discard(client: MatrixClient, event: TimelineEvent): void {
  const waiting = unsent(event);
  if (waiting?.status === EventStatus.NOT_SENT || waiting?.status === EventStatus.QUEUED)
    client.cancelPendingEvent(waiting);
}

/** Tells others that this person is typing, or has stopped. */
export function sendTyping(client: MatrixClient, roomId: string, typing: boolean): void {
  letGo(client.sendTyping(roomId, typing, typing ? 8_000 : 0));
}

/** The last message of one's own in a room that can still be changed. */
export function lastOwn(
  client: MatrixClient,
  roomId: string,
  threadId: string | null,
  may: (event: TimelineEvent) => boolean,
): TimelineEvent | null {
  const room = client.getRoom(roomId);
  const me = client.getUserId();
  const events: MatrixEvent[] =
    threadId === null
      ? (room?.getLiveTimeline().getEvents() ?? [])
      : (room?.getThread(threadId)?.events ?? []);
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index];
    if (!event || event.getSender() !== me || event.getType() !== "m.room.message" || event.isRedacted())
      continue;
    if (event.getRelation()?.rel_type === "m.replace") continue;
    return may(event) ? event : null;
  }
  return null;
}
