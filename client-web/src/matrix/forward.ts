// A message again, in other rooms.

import type { MatrixClient } from "matrix-js-sdk";

import { withoutFallback, type TimelineEvent } from "./events";

/** What is said there: what it says now, without what ties it to its own room. */
export function forwardContent(event: TimelineEvent): Record<string, unknown> {
  const {
    "m.relates_to": relation,
    "m.new_content": _new,
    "m.mentions": _mentions,
    ...content
  } = event.getContent<Record<string, unknown>>();
  const isReply = (relation as { "m.in_reply_to"?: unknown } | undefined)?.["m.in_reply_to"] !== undefined;
  const said = { ...content, "m.mentions": {} } as Record<string, unknown>;
  if (isReply && typeof content["body"] === "string") said["body"] = withoutFallback(content["body"]);
  if (typeof content["formatted_body"] === "string")
    said["formatted_body"] = content["formatted_body"].replace(/^<mx-reply>[\s\S]*?<\/mx-reply>/i, "");
  return said;
}

/** Whether a message can be said elsewhere. */
export function canForward(event: TimelineEvent): boolean {
  const type = event.getType();
  return (
    !event.isRedacted() && !event.isDecryptionFailure() && (type === "m.room.message" || type === "m.sticker")
  );
}

/** Says it in other rooms; a comment goes before it. */
export function forward(
  client: MatrixClient,
  event: TimelineEvent,
  roomIds: readonly string[],
  comment: string,
): void {
  const content = forwardContent(event);
  const send = (roomId: string, type: string, said: object) => {
    // The outbox takes care of what could not be sent.
    client.sendEvent(roomId, null, type as never, said as never).catch(() => undefined);
  };
  for (const roomId of roomIds) {
    if (comment.trim())
      send(roomId, "m.room.message", { msgtype: "m.text", body: comment.trim(), "m.mentions": {} });
    send(roomId, event.getType(), content);
  }
}
