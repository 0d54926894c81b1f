// What a message said before, and who reacted to it.

import type { MatrixClient } from "matrix-js-sdk";

import type { TimelineEvent } from "./events";

/** What a message said at a time. */
export interface Version {
  readonly eventId: string;
  readonly time: number;
  readonly body: string;
}

/** All versions of a message, the newest first. */
export async function loadVersions(client: MatrixClient, event: TimelineEvent): Promise<readonly Version[]> {
  const original = event.getOriginalContent<{ body?: unknown }>();
  const first: Version = {
    eventId: event.getId() ?? "",
    time: event.getTs(),
    body: typeof original.body === "string" ? original.body : "",
  };
  const edits: Version[] = [];
  let from: string | undefined;
  do {
    const page = await client.relations(event.getRoomId()!, event.getId()!, "m.replace", null, {
      limit: 50,
      ...(from ? { from } : {}),
    });
    for (const edit of page.events) {
      if (edit.isRedacted() || edit.getSender() !== event.getSender()) continue;
      const content = edit.getContent<{ "m.new_content"?: { body?: unknown } }>()["m.new_content"];
      if (typeof content?.body !== "string") continue;
      edits.push({ eventId: edit.getId() ?? "", time: edit.getTs(), body: content.body });
    }
    from = page.nextBatch ?? undefined;
  } while (from && edits.length < 500);
  return [...edits.sort((a, b) => b.time - a.time), first];
}
