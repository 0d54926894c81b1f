// Messages that a person keeps for themselves: `com.orvale.saved` of the account data.

import type { MatrixClient } from "matrix-js-sdk";
import { useMemo } from "react";

import { setAccountData, useAccountData } from "./accountData";

/** The type of the account data. */
export const SAVED = "com.orvale.saved";

/** The most that are kept: account data is read whole. */
const MOST = 500;

/** A message that somebody keeps. */
export interface SavedMessage {
  readonly room_id: string;
  readonly event_id: string;
  /** When it was saved, in milliseconds. */
  readonly saved_at: number;
}

/** What a content says, the newest first; what is not understood is left out. */
export function readSaved(content: unknown): readonly SavedMessage[] {
  const messages = (content as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(messages)) return [];
  return messages
    .filter((one): one is SavedMessage => {
      const { room_id, event_id, saved_at } = (one ?? {}) as Record<string, unknown>;
      return typeof room_id === "string" && typeof event_id === "string" && typeof saved_at === "number";
    })
    .sort((a, b) => b.saved_at - a.saved_at);
}

/** A list with one more, or one less. */
export function withSaved(
  before: readonly SavedMessage[],
  message: { readonly roomId: string; readonly eventId: string },
  saved: boolean,
  now = Date.now(),
): readonly SavedMessage[] {
  const others = before.filter((one) => one.event_id !== message.eventId);
  if (!saved) return others;
  return [{ room_id: message.roomId, event_id: message.eventId, saved_at: now }, ...others].slice(0, MOST);
}

/** All that this person keeps, the newest first. */
export function useSaved(): readonly SavedMessage[] {
  const content = useAccountData(SAVED);
  return useMemo(() => readSaved(content), [content]);
}

/** Keeps a message, or no longer. */
export async function setSaved(
  client: MatrixClient,
  message: { readonly roomId: string; readonly eventId: string },
  saved: boolean,
): Promise<void> {
  const content = client.getAccountData(SAVED as never)?.getContent<object>() ?? {};
  await setAccountData(client, SAVED, {
    ...content,
    messages: withSaved(readSaved(content), message, saved),
  });
}
