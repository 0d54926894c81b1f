// Asking the server: messages and files by their words, people and channels by their names.

import { Method, type IEventWithRoomId, type IRoomEventFilter, type MatrixClient } from "matrix-js-sdk";

import { withoutFallback } from "./events";
import { roomStore } from "./rooms";

/** What a message may carry. */
export type Carried = "file" | "image" | "video" | "audio" | "link";

/** What is looked for. */
export interface SearchQuery {
  readonly words: string;
  /** Only by these. */
  readonly from: readonly string[];
  /** Only in these rooms. */
  readonly rooms: readonly string[];
  /** From this moment on, in milliseconds. */
  readonly since: number | null;
  /** Before this moment. */
  readonly until: number | null;
  readonly has: readonly Carried[];
}

/** A message or file that was found. */
export interface FoundMessage {
  readonly eventId: string;
  readonly roomId: string;
  readonly sender: string;
  readonly senderName: string;
  readonly senderAvatar: string | null;
  readonly time: number;
  readonly text: string;
  readonly file: {
    readonly url: string;
    readonly name: string;
    readonly type: string;
    readonly size: number | null;
  } | null;
}

/** A page of messages. */
export interface FoundPage {
  readonly hits: readonly FoundMessage[];
  /** How many there are, as far as is known. */
  readonly count: number;
  /** The words by which they were found, in small letters. */
  readonly highlights: readonly string[];
  readonly next: string | null;
}

/** Somebody who was found. */
export interface FoundPerson {
  readonly userId: string;
  readonly name: string;
  readonly avatar: string | null;
}

/** A channel that was found. */
export interface FoundChannel {
  readonly roomId: string;
  readonly name: string;
  readonly topic: string;
  readonly people: number;
  readonly private: boolean;
  readonly joined: boolean;
}

interface Answer {
  readonly search_categories: {
    readonly room_events?: {
      readonly count?: number;
      readonly highlights?: readonly string[];
      readonly next_batch?: string;
      readonly results?: readonly RawHit[];
    };
  };
}

interface RawHit {
  readonly result?: IEventWithRoomId;
  readonly context?: {
    readonly profile_info?: Readonly<Record<string, { displayname?: string; avatar_url?: string }>>;
  };
}

function str(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Reads a hit; an edited message says what it says now. */
export function readHit(hit: RawHit): FoundMessage | null {
  const event = hit.result;
  if (!event) return null;
  const edit = record(record(event.unsigned?.["m.relations"])["m.replace"]);
  const replaced = record(record(edit["content"])["m.new_content"]);
  const original = event.content as Record<string, unknown>;
  const content = Object.keys(replaced).length > 0 ? replaced : original;
  const profile = hit.context?.profile_info?.[event.sender];
  const url = str(original["url"]);
  const info = record(original["info"]);
  const body = str(content["body"]) ?? str(content["name"]) ?? str(content["topic"]) ?? "";
  const name = str(content["filename"]) ?? body;
  const size = info["size"];
  const isReply = record(record(original["m.relates_to"])["m.in_reply_to"])["event_id"] !== undefined;
  return {
    eventId: event.event_id,
    roomId: event.room_id,
    sender: event.sender,
    senderName: profile?.displayname ?? event.sender,
    senderAvatar: profile?.avatar_url ?? null,
    time: event.origin_server_ts,
    text: url !== null && name === body ? "" : isReply ? withoutFallback(body) : body,
    file:
      url === null
        ? null
        : {
            url,
            name,
            type: str(info["mimetype"]) ?? "application/octet-stream",
            size: typeof size === "number" ? size : null,
          },
  };
}

/** Whether there is something to ask for. */
export function isQuestion(query: SearchQuery): boolean {
  return (
    query.words.trim() !== "" ||
    query.from.length > 0 ||
    query.since !== null ||
    query.until !== null ||
    query.has.length > 0
  );
}

/** Messages without files, or files alone; the newest first. */
export async function searchMessages(
  client: MatrixClient,
  query: SearchQuery,
  kind: "messages" | "files" | "both",
  options: { readonly next?: string | null; readonly limit?: number; readonly signal?: AbortSignal } = {},
): Promise<FoundPage> {
  const filter: IRoomEventFilter = {
    limit: options.limit ?? 20,
    ...(kind === "both" ? {} : { contains_url: kind === "files" }),
    ...(query.from.length > 0 ? { senders: [...query.from] } : {}),
    ...(query.rooms.length > 0 ? { rooms: [...query.rooms] } : {}),
  };
  const room_events = {
    search_term: query.words.trim(),
    keys: ["content.body"],
    filter,
    order_by: "recent",
    event_context: { before_limit: 0, after_limit: 0, include_profile: true },
    ...(query.since === null ? {} : { "com.orvale.since": query.since }),
    ...(query.until === null ? {} : { "com.orvale.until": query.until }),
    ...(query.has.length === 0 ? {} : { "com.orvale.has": [...query.has] }),
  };
  const answer = await client.http.authedRequest<Answer>(
    Method.Post,
    "/search",
    options.next ? { next_batch: options.next } : undefined,
    { search_categories: { room_events } },
    options.signal ? { abortSignal: options.signal } : {},
  );
  const found = answer.search_categories.room_events ?? {};
  return {
    hits: (found.results ?? []).map(readHit).filter((hit) => hit !== null),
    count: found.count ?? 0,
    highlights: found.highlights ?? [],
    next: found.next_batch ?? null,
  };
}

/** People whom this person may find. */
export async function searchPeople(
  client: MatrixClient,
  words: string,
  signal?: AbortSignal,
): Promise<readonly FoundPerson[]> {
  interface Directory {
    readonly results: readonly { user_id: string; display_name?: string; avatar_url?: string }[];
  }
  const { results } = await client.http.authedRequest<Directory>(
    Method.Post,
    "/user_directory/search",
    undefined,
    { search_term: words.trim(), limit: 30 },
    signal ? { abortSignal: signal } : {},
  );
  const me = client.getUserId();
  return results
    .filter((person) => person.user_id !== me)
    .map((person) => ({
      userId: person.user_id,
      name: person.display_name ?? person.user_id,
      avatar: person.avatar_url ?? null,
    }));
}

/** Channels by a part of their name or description: one's own, then those that are open to all. */
export async function searchChannels(
  client: MatrixClient,
  words: string,
  signal?: AbortSignal,
): Promise<readonly FoundChannel[]> {
  const wanted = words.trim().toLocaleLowerCase();
  const store = roomStore(client);
  const own = store
    .getSections()
    .channels.map((roomId) => store.getSummary(roomId))
    .filter((room) => room !== null)
    .filter((room) => `${room.name}\n${room.topic}`.toLocaleLowerCase().includes(wanted))
    .map((room): FoundChannel => ({
      roomId: room.roomId,
      name: room.name,
      topic: room.topic,
      people: room.people,
      private: room.private,
      joined: true,
    }));
  interface Listed {
    readonly chunk: readonly {
      room_id: string;
      name?: string;
      canonical_alias?: string;
      topic?: string;
      num_joined_members: number;
      join_rule?: string;
      room_type?: string;
    }[];
  }
  const { chunk } = await client.http.authedRequest<Listed>(
    Method.Post,
    "/publicRooms",
    undefined,
    { limit: 30, filter: { generic_search_term: words.trim() } },
    signal ? { abortSignal: signal } : {},
  );
  const known = new Set(own.map((room) => room.roomId));
  const open = chunk
    .filter((room) => !known.has(room.room_id) && room.room_type === undefined)
    .map((room): FoundChannel => ({
      roomId: room.room_id,
      name: room.name ?? room.canonical_alias?.slice(1).split(":")[0] ?? room.room_id,
      topic: room.topic ?? "",
      people: room.num_joined_members,
      private: room.join_rule !== undefined && room.join_rule !== "public",
      joined: client.getRoom(room.room_id)?.getMyMembership() === "join",
    }));
  return [...own, ...open];
}

/** Everybody whom this browser has heard of, oneself included. */
export function knownPeople(client: MatrixClient): readonly FoundPerson[] {
  return client.getUsers().map((user) => ({
    userId: user.userId,
    name: user.displayName ?? user.userId,
    avatar: user.avatarUrl ?? null,
  }));
}
