// An event as the screen needs it. The SDK's events change in place; here each change makes a new view, and nothing else does.

import {
  EventStatus,
  KnownMembership,
  MatrixEventEvent,
  RelationsEvent,
  RoomEvent,
  RoomStateEvent,
  type MatrixClient,
  type MatrixEvent,
  type Relations,
  type Room,
  type RoomMember,
  type RoomState,
} from "matrix-js-sdk";
import { useCallback, useSyncExternalStore } from "react";

import { remember } from "./encryption/files";
import { plainName } from "./fileNames";
import { useClient } from "./MatrixProvider";
import { isRefused } from "./Outbox";
import { sameList } from "./signals";

/** An event of the timeline. Opaque outside of this folder: read it through the hooks. */
export type TimelineEvent = MatrixEvent;

/** How a message is drawn. */
export type MessageKind =
  | "text"
  | "emote"
  | "notice"
  | "image"
  | "video"
  | "audio"
  | "file"
  | "poll"
  | "verification"
  | "deleted"
  | "locked"
  | "unknown";

/** A file of a message. */
export interface MediaView {
  readonly url: string;
  readonly name: string;
  readonly type: string;
  readonly size: number | null;
  readonly width: number | null;
  readonly height: number | null;
}

/** How far an own message is. */
export type SendState = "sent" | "sending" | "waiting" | "failed";

/** A message as its row draws it. */
export interface MessageView {
  readonly key: string;
  readonly eventId: string;
  readonly roomId: string;
  readonly sender: string;
  readonly senderName: string;
  readonly senderAvatar: string | null;
  readonly time: number;
  readonly kind: MessageKind;
  readonly body: string;
  readonly html: string | null;
  readonly media: MediaView | null;
  readonly answers: readonly string[];
  readonly replyTo: string | null;
  readonly thread: string | null;
  readonly edited: number | null;
  readonly send: SendState;
  /** How far the last change of it is. */
  readonly change: SendState;
  /** Why it, or the change, was refused. */
  readonly error: string | null;
  readonly mine: boolean;
  readonly mentionsMe: boolean;
  /** Who removed it, if that was not its sender. */
  readonly removedBy: string | null;
  /** Why, if they said so. */
  readonly removedWhy: string;
  /** Why it cannot be read, if it is locked. */
  readonly lock: LockReason | null;
}

/** Why a message cannot be read: nothing was tried yet, or the key is missing for one of several reasons. */
export type LockReason =
  "waiting" | "no-key" | "before-device" | "not-in-backup" | "before-joining" | "withheld" | "distrusted";

function lockOf(event: MatrixEvent): LockReason {
  const reason: string | null = event.decryptionFailureReason;
  if (reason === null) return "waiting";
  // The names of the SDK's DecryptionFailureCode, which belongs to a part that is loaded later.
  if (reason === "HISTORICAL_MESSAGE_USER_NOT_JOINED") return "before-joining";
  if (reason === "HISTORICAL_MESSAGE_WORKING_BACKUP") return "not-in-backup";
  if (reason.startsWith("HISTORICAL_MESSAGE")) return "before-device";
  if (reason.startsWith("MEGOLM_KEY_WITHHELD")) return "withheld";
  if (reason.includes("SENDER")) return "distrusted";
  return "no-key";
}

const keys = new WeakMap<MatrixEvent, string>();

/** A key that stays when the server's id replaces the local one. */
export function keyOf(event: MatrixEvent): string {
  let key = keys.get(event);
  if (key === undefined) {
    key = event.getTxnId() ?? event.getId() ?? "";
    keys.set(event, key);
  }
  return key;
}

function str(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function num(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : null;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The words of a content: its body, or the plain text of an extensible event. */
export function wordsIn(content: Record<string, unknown>): string {
  const text = content["body"] ?? content["m.text"] ?? content["org.matrix.msc1767.text"];
  if (typeof text === "string") return text;
  return str(record(Array.isArray(text) ? text[0] : undefined)["body"]) ?? "";
}

function mediaOf(content: Record<string, unknown>): MediaView | null {
  const info = record(content["info"]);
  const url = str(content["url"]) ?? str(record(content["file"])["url"]);
  if (!url) return null;
  if (content["file"] !== undefined) {
    const type = str(info["mimetype"]) ?? "application/octet-stream";
    const small = str(record(info["thumbnail_info"])["mimetype"]) ?? undefined;
    // What cannot be opened is shown as what it is.
    if (!remember(content["file"], type, info["thumbnail_file"], small)) return null;
  }
  return {
    url,
    name: plainName(str(content["filename"]) ?? str(content["body"]) ?? ""),
    type: str(info["mimetype"]) ?? "application/octet-stream",
    size: num(info["size"]),
    width: num(info["w"]),
    height: num(info["h"]),
  };
}

function pollText(content: Record<string, unknown>): { question: string; answers: string[] } | null {
  const poll = record(content["m.poll"] ?? content["org.matrix.msc3381.poll.start"]);
  const textOf = (part: unknown): string => {
    const value = record(part);
    const plain = value["m.text"];
    if (Array.isArray(plain)) return str(record(plain[0])["body"]) ?? "";
    return str(plain) ?? str(value["org.matrix.msc1767.text"]) ?? str(value["body"]) ?? "";
  };
  if (!poll["question"]) return null;
  const answers = Array.isArray(poll["answers"]) ? poll["answers"].slice(0, 20).map(textOf) : [];
  return { question: textOf(poll["question"]), answers };
}

/** Old clients repeat the message they answer at the start of theirs. */
export function withoutFallback(body: string): string {
  if (!body.startsWith("> <")) return body;
  const lines = body.split("\n");
  let at = 0;
  while (lines[at]?.startsWith("> ")) at += 1;
  if (lines[at] === "") at += 1;
  return lines.slice(at).join("\n");
}

function sendState(event: MatrixEvent): SendState {
  switch (event.status) {
    case EventStatus.NOT_SENT:
      return isRefused(event) ? "failed" : "waiting";
    case EventStatus.SENDING:
    case EventStatus.QUEUED:
    case EventStatus.ENCRYPTING:
      return "sending";
    default:
      return "sent";
  }
}

function refusalOf(event: MatrixEvent): string | null {
  if (event.status !== EventStatus.NOT_SENT || !event.error) return null;
  return event.error.data?.error ?? event.error.message;
}

function kindOfMessage(event: MatrixEvent, content: Record<string, unknown>): MessageKind {
  if (event.isRedacted()) return "deleted";
  if (event.isDecryptionFailure() || event.getType() === "m.room.encrypted") return "locked";
  const type = event.getType();
  if (type === "m.sticker") return "image";
  if (type.endsWith("poll.start")) return "poll";
  switch (content["msgtype"]) {
    case "m.text":
      return "text";
    case "m.emote":
      return "emote";
    case "m.notice":
    case "m.server_notice":
      return "notice";
    case "m.image":
      return "image";
    case "m.video":
      return "video";
    case "m.audio":
      return "audio";
    case "m.file":
      return "file";
    case "m.key.verification.request":
      return "verification";
    default:
      return wordsIn(content) === "" ? "unknown" : "text";
  }
}

/** What is told of a deletion by somebody else. */
function removalOf(event: MatrixEvent, room: Room | null): Pick<MessageView, "removedBy" | "removedWhy"> {
  const deletion = event.isRedacted() ? event.getUnsigned().redacted_because : undefined;
  const by = deletion?.sender;
  if (!by || by === event.getSender()) return { removedBy: null, removedWhy: "" };
  return {
    removedBy: room?.getMember(by)?.name ?? by,
    removedWhy: (str(deletion.content["reason"]) ?? "").trim(),
  };
}

/** Reads an event. */
export function viewOf(client: MatrixClient, event: MatrixEvent): MessageView {
  const me = client.getUserId();
  const sender = event.getSender() ?? "";
  const content = event.getContent();
  const kind = kindOfMessage(event, content);
  const room = client.getRoom(event.getRoomId());
  // Everybody under the name they have now; who has left, under the one they had then. What waited through a reload was made
  // before anybody was known.
  const now = room?.getMember(sender);
  const here = now?.membership === (KnownMembership.Join as string);
  const member = (here ? now : event.status === null ? event.sender : null) ?? now ?? event.sender;
  const poll = kind === "poll" ? pollText(content) : null;
  const media =
    kind === "image" || kind === "video" || kind === "audio" || kind === "file" ? mediaOf(content) : null;
  const replacing = event.replacingEvent();
  const mentions = record(content["m.mentions"])["user_ids"];
  const replyTo = kind === "deleted" ? null : replyOf(event);
  const body = poll?.question ?? wordsIn(content);
  const caption = media && str(content["filename"]) !== null && content["filename"] !== content["body"];
  return {
    key: keyOf(event),
    eventId: event.getId() ?? "",
    roomId: event.getRoomId() ?? "",
    sender,
    senderName: member?.name ?? sender,
    senderAvatar: member?.getMxcAvatarUrl() ?? null,
    time: event.getTs(),
    kind: media || !["image", "video", "audio", "file"].includes(kind) ? kind : "unknown",
    body: media && !caption ? "" : replyTo ? withoutFallback(body) : body,
    html:
      content["format"] === "org.matrix.custom.html" && (!media || caption)
        ? str(content["formatted_body"])
        : null,
    media,
    answers: poll?.answers ?? [],
    replyTo,
    thread: event.threadRootId ?? null,
    edited: replacing ? replacing.getTs() : null,
    send: sendState(event),
    change: replacing ? sendState(replacing) : "sent",
    error: refusalOf(event) ?? (replacing && refusalOf(replacing)),
    mine: sender === me,
    mentionsMe: me !== null && sender !== me && Array.isArray(mentions) && mentions.includes(me),
    lock: kind === "locked" ? lockOf(event) : null,
    ...removalOf(event, room),
  };
}

function replyOf(event: MatrixEvent): string | null {
  const relation = record(event.getWireContent()["m.relates_to"] ?? event.getContent()["m.relates_to"]);
  const target = str(record(relation["m.in_reply_to"])["event_id"]);
  // A message in a thread that answers nothing in particular names the last one for clients without threads.
  if (target && relation["rel_type"] === "m.thread" && relation["is_falling_back"] === true) return null;
  return target;
}

const views = new WeakMap<MatrixEvent, MessageView>();
const CHANGES = [
  MatrixEventEvent.Status,
  MatrixEventEvent.Replaced,
  MatrixEventEvent.BeforeRedaction,
  MatrixEventEvent.Decrypted,
  MatrixEventEvent.LocalEventIdReplaced,
  MatrixEventEvent.VisibilityChange,
  MatrixEventEvent.SentinelUpdated,
] as const;

function refresh(client: MatrixClient, event: MatrixEvent): MessageView {
  const before = views.get(event);
  const after = viewOf(client, event);
  if (before) {
    const same = (Object.keys(after) as Array<keyof MessageView>).every((field) => {
      const a = before[field];
      const b = after[field];
      if (Array.isArray(a) && Array.isArray(b)) return sameList(a, b);
      if (field === "media") return JSON.stringify(a) === JSON.stringify(b);
      return Object.is(a, b);
    });
    if (same) return before;
  }
  views.set(event, after);
  return after;
}

/** A change of a message that is not at the server yet. */
function pendingChange(event: MatrixEvent): MatrixEvent | null {
  const replacing = event.replacingEvent();
  return replacing?.status ? replacing : null;
}

/** The message of an event, fresh whenever the event changed and never otherwise. */
export function useMessage(event: TimelineEvent): MessageView {
  const client = useClient();
  const subscribe = useCallback(
    (listener: () => void) => {
      let replacing: MatrixEvent | null = null;
      const follow = (next: MatrixEvent | null) => {
        if (next === replacing) return;
        replacing?.off(MatrixEventEvent.Status, changed);
        replacing = next;
        replacing?.on(MatrixEventEvent.Status, changed);
      };
      const changed = () => {
        follow(pendingChange(event));
        refresh(client, event);
        listener();
      };
      // A redaction is announced before it is done.
      const later = () => queueMicrotask(changed);
      const room = client.getRoom(event.getRoomId());
      const redacted = (_redaction: MatrixEvent, _room: Room) => changed();
      const renamed = (_event: MatrixEvent, _state: RoomState, member: RoomMember) => {
        if (member.userId === event.getSender()) changed();
      };
      for (const change of CHANGES)
        event.on(change, change === MatrixEventEvent.BeforeRedaction ? later : changed);
      room?.on(RoomEvent.RedactionCancelled, redacted);
      room?.on(RoomStateEvent.Members, renamed);
      follow(pendingChange(event));
      refresh(client, event);
      return () => {
        follow(null);
        for (const change of CHANGES) {
          event.off(change, change === MatrixEventEvent.BeforeRedaction ? later : changed);
        }
        room?.off(RoomEvent.RedactionCancelled, redacted);
        room?.off(RoomStateEvent.Members, renamed);
      };
    },
    [client, event],
  );
  return useSyncExternalStore(subscribe, () => views.get(event) ?? refresh(client, event));
}

/** One emoji under a message. */
export interface Reaction {
  readonly emoji: string;
  readonly count: number;
  readonly names: readonly string[];
  /** The id of one's own reaction, to take it back. */
  readonly own: string | null;
}

const NO_REACTIONS: readonly Reaction[] = [];

function readReactions(client: MatrixClient, relations: Relations | undefined): readonly Reaction[] {
  const me = client.getUserId();
  const found: Reaction[] = [];
  for (const [emoji, events] of relations?.getSortedAnnotationsByKey() ?? []) {
    const senders = new Map<string, MatrixEvent>();
    for (const event of events) {
      if (!event.isRedacted() && event.getSender()) senders.set(event.getSender()!, event);
    }
    if (senders.size === 0) continue;
    const room = client.getRoom([...events][0]?.getRoomId());
    found.push({
      emoji,
      count: senders.size,
      names: [...senders.keys()].map((sender) => room?.getMember(sender)?.name ?? sender),
      own: (me && senders.get(me)?.getId()) || null,
    });
  }
  return found.length > 0 ? found : NO_REACTIONS;
}

function sameReactions(a: readonly Reaction[], b: readonly Reaction[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      (x, i) =>
        x.emoji === b[i]?.emoji &&
        x.count === b[i].count &&
        x.own === b[i].own &&
        sameList(x.names, b[i].names),
    )
  );
}

const reactionsOf = new WeakMap<MatrixEvent, readonly Reaction[]>();

/** The reactions under a message. */
export function useReactions(event: TimelineEvent): readonly Reaction[] {
  const client = useClient();
  const read = useCallback((): readonly Reaction[] => {
    const room = client.getRoom(event.getRoomId());
    const id = event.getId();
    const relations = id
      ? room?.relations.getChildEventsForEvent(id, "m.annotation", "m.reaction")
      : undefined;
    const after = readReactions(client, relations);
    const before = reactionsOf.get(event);
    if (before && sameReactions(before, after)) return before;
    reactionsOf.set(event, after);
    return after;
  }, [client, event]);
  const subscribe = useCallback(
    (listener: () => void) => {
      let followed: Relations | undefined;
      const changed = () => queueMicrotask(listener);
      const follow = () => {
        const id = event.getId();
        const relations = id
          ? client
              .getRoom(event.getRoomId())
              ?.relations.getChildEventsForEvent(id, "m.annotation", "m.reaction")
          : undefined;
        if (relations === followed) return;
        unfollow();
        followed = relations;
        for (const kind of [RelationsEvent.Add, RelationsEvent.Remove, RelationsEvent.Redaction])
          relations?.on(kind, changed);
      };
      const unfollow = () => {
        for (const kind of [RelationsEvent.Add, RelationsEvent.Remove, RelationsEvent.Redaction])
          followed?.off(kind, changed);
      };
      const created = () => {
        follow();
        changed();
      };
      event.on(MatrixEventEvent.RelationsCreated, created);
      event.on(MatrixEventEvent.LocalEventIdReplaced, created);
      follow();
      return () => {
        event.off(MatrixEventEvent.RelationsCreated, created);
        event.off(MatrixEventEvent.LocalEventIdReplaced, created);
        unfollow();
      };
    },
    [client, event],
  );
  return useSyncExternalStore(subscribe, read);
}
