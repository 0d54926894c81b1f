// How available this person says they are: kept in the profile, told as presence.

import { ClientEvent, Method, type MatrixClient, type MatrixEvent, type SetPresence } from "matrix-js-sdk";
import { useSyncExternalStore } from "react";

import { tellPresence } from "./client";
import { useClient } from "./MatrixProvider";
import type { Presence } from "./presence";

/** The profile field it is kept in. */
export const STATUS = "com.orvale.status";

/** What somebody says of themselves. */
export interface Status {
  readonly state: Presence["state"];
  readonly message: string;
  readonly awayMessage: string;
}

const SILENT: Status = { state: "online", message: "", awayMessage: "" };
const STATES: readonly Status["state"][] = ["online", "away", "busy", "offline"];

const textIn = (value: unknown) => (typeof value === "string" ? value.trim() : "");

/** The content of `com.orvale.status`. */
export function readStatus(content: unknown): Status {
  const given = (typeof content === "object" && content !== null ? content : {}) as Record<string, unknown>;
  const state = STATES.find((known) => known === given["state"]) ?? "online";
  return {
    state,
    message: state === "offline" ? "" : textIn(given["message"]),
    awayMessage: state === "away" ? textIn(given["away_message"]) : "",
  };
}

/** The same as a content, with nothing in it that does not go with the state. */
export function writeStatus({ state, message, awayMessage }: Status): Record<string, string> {
  return {
    state,
    ...(state !== "offline" && message.trim() ? { message: message.trim() } : {}),
    ...(state === "away" && awayMessage.trim() ? { away_message: awayMessage.trim() } : {}),
  };
}

/** What others read under the name. */
export function shownText({ state, message, awayMessage }: Status): string {
  if (state === "offline") return "";
  return (state === "away" ? awayMessage.trim() : "") || message.trim();
}

/** A state in the words of the protocol; busy as MSC3026 has it. */
function told(state: Status["state"]): SetPresence {
  const words = {
    online: "online",
    away: "unavailable",
    busy: "org.matrix.msc3026.busy",
    offline: "offline",
  };
  return words[state] as SetPresence;
}

interface Kept {
  status: Status;
  readonly listeners: Set<() => void>;
}

const kept = new WeakMap<MatrixClient, Kept>();

function keptOf(client: MatrixClient): Kept {
  let known = kept.get(client);
  if (!known) {
    known = { status: SILENT, listeners: new Set() };
    kept.set(client, known);
  }
  return known;
}

function become(client: MatrixClient, status: Status): void {
  const known = keptOf(client);
  known.status = status;
  for (const listener of [...known.listeners]) listener();
}

/** Asks what this person said of themselves last, and goes on saying it. */
export async function loadStatus(client: MatrixClient): Promise<void> {
  const path = `/profile/${encodeURIComponent(client.getSafeUserId())}/${STATUS}`;
  const answer = await client.http
    .authedRequest<Record<string, unknown>>(Method.Get, path)
    .catch((): Record<string, unknown> => ({}));
  const status = readStatus(answer[STATUS]);
  become(client, status);
  // Each sync says it anew: without this the next one would say "online".
  await tellPresence(client, told(status.state));
}

/** Follows what this person says on their other devices. Ends with the answer. */
export function followStatus(client: MatrixClient): () => void {
  // Of this person the SDK has a user that tells its client nothing: the event itself is listened for.
  const heard = (event: MatrixEvent) => {
    if (event.getType() !== "m.presence" || event.getSender() !== client.getUserId()) return;
    const said: string = told(keptOf(client).status.state);
    // Who does nothing for a while is away without having said so: it is read where it is kept.
    if (event.getContent()["presence"] !== said) loadStatus(client).catch(() => undefined);
  };
  client.on(ClientEvent.Event, heard);
  return () => {
    client.off(ClientEvent.Event, heard);
  };
}

/** Says it to everybody and keeps it. */
export async function setStatus(client: MatrixClient, status: Status): Promise<void> {
  const content = writeStatus(status);
  const path = `/profile/${encodeURIComponent(client.getSafeUserId())}/${STATUS}`;
  // First where it is checked: what the server refuses is not told to anybody.
  await client.http.authedRequest(Method.Put, path, undefined, { [STATUS]: content });
  await tellPresence(client, told(status.state));
  // Not by the SDK's own call, which knows nobody who is busy.
  await client.http.authedRequest(
    Method.Put,
    `/presence/${encodeURIComponent(client.getSafeUserId())}/status`,
    undefined,
    { presence: told(status.state), status_msg: shownText(status) },
  );
  become(client, readStatus(content));
}

/** What this person says of themselves. */
export function useOwnStatus(): Status {
  const known = keptOf(useClient());
  return useSyncExternalStore(
    (listener) => {
      known.listeners.add(listener);
      return () => known.listeners.delete(listener);
    },
    () => known.status,
  );
}
