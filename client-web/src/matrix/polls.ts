// Polls: what is asked, who chose what, and how it ended. Both the stable events and those of MSC3381.

import { RoomEvent, type IEvent, type MatrixClient, type MatrixEvent } from "matrix-js-sdk";
import { useCallback, useEffect, useMemo, useState } from "react";

import type { TimelineEvent } from "./events";
import { useClient } from "./MatrixProvider";
import { type Place, relation } from "./send";

const UNSTABLE = "org.matrix.msc3381.poll.";
const TEXT = "org.matrix.msc1767.text";

/** What is asked. */
export interface PollQuestion {
  readonly question: string;
  readonly answers: readonly { readonly id: string; readonly text: string }[];
  /** How many one may choose. */
  readonly most: number;
  /** Whether everybody sees how it stands before it is over. */
  readonly open: boolean;
}

/** One choice of one person. */
export interface Vote {
  readonly sender: string;
  readonly time: number;
  readonly answers: readonly string[];
}

/** How a poll stands. */
export interface PollResult {
  /** Who chose an answer, by its id. */
  readonly votes: ReadonlyMap<string, readonly string[]>;
  /** How many people chose. */
  readonly voters: number;
  readonly ended: boolean;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The plain text of an extensible event, stable or not. */
function textOf(part: unknown): string {
  const value = record(part);
  const text = value["m.text"] ?? value[TEXT] ?? value["body"];
  if (typeof text === "string") return text;
  const first = record(Array.isArray(text) ? text[0] : undefined)["body"];
  return typeof first === "string" ? first : "";
}

/** Reads the start of a poll; null if it makes no sense. */
export function readQuestion(content: Record<string, unknown>): PollQuestion | null {
  const poll = record(content["m.poll"] ?? content[`${UNSTABLE}start`]);
  if (!Array.isArray(poll["answers"])) return null;
  const answers = poll["answers"].slice(0, MOST_ANSWERS).flatMap((answer) => {
    const { "m.id": stable, id } = record(answer);
    const known = stable ?? id;
    return typeof known === "string" ? [{ id: known, text: textOf(answer) }] : [];
  });
  const most = poll["max_selections"];
  const kind = poll["kind"];
  if (answers.length === 0) return null;
  return {
    question: textOf(poll["question"]),
    answers,
    most: typeof most === "number" && most >= 1 ? Math.min(Math.floor(most), answers.length) : 1,
    open:
      kind === "m.disclosed" || kind === `${UNSTABLE}disclosed` || kind === "org.matrix.msc3381.disclosed",
  };
}

/** What somebody chose by an event, or null if it is no choice. */
export function readVote(
  event: Pick<IEvent, "type" | "sender" | "origin_server_ts" | "content">,
): Vote | null {
  if (event.type !== "m.poll.response" && event.type !== `${UNSTABLE}response`) return null;
  const content = record(event.content);
  const chosen = content["m.selections"] ?? record(content[`${UNSTABLE}response`])["answers"];
  const answers = Array.isArray(chosen) ? chosen.filter((one): one is string => typeof one === "string") : [];
  return { sender: event.sender, time: event.origin_server_ts, answers };
}

/** Counts: of each person the last choice before the end, no more answers than allowed, a choice of nothing known is none. */
export function count(question: PollQuestion, votes: readonly Vote[], endedAt: number | null): PollResult {
  const last = new Map<string, Vote>();
  for (const vote of [...votes].sort((a, b) => a.time - b.time)) {
    if (endedAt === null || vote.time <= endedAt) last.set(vote.sender, vote);
  }
  const known = new Set(question.answers.map((answer) => answer.id));
  const chosen = new Map<string, string[]>(question.answers.map((answer) => [answer.id, []]));
  let voters = 0;
  for (const { sender, answers } of last.values()) {
    const counted = answers.slice(0, question.most);
    if (counted.length === 0 || counted.some((id) => !known.has(id))) continue;
    voters += 1;
    for (const id of new Set(counted)) chosen.get(id)?.push(sender);
  }
  return { votes: chosen, voters, ended: endedAt !== null };
}

interface Known {
  readonly votes: ReadonlyMap<string, Vote>;
  readonly ended: number | null;
}

const NOTHING: Known = { votes: new Map(), ended: null };

/** A poll as it stands, and how to choose and to end it. */
export function usePoll(event: TimelineEvent) {
  const client = useClient();
  const roomId = event.getRoomId()!;
  const id = event.getId()!;
  const [known, setKnown] = useState<Known>(NOTHING);
  const question = useMemo(() => readQuestion(event.getContent()), [event]);

  const take = useCallback(
    (others: readonly MatrixEvent[]) => {
      const room = client.getRoom(roomId);
      const mayEnd = (sender: string) =>
        sender === event.getSender() ||
        (room?.currentState.hasSufficientPowerLevelFor("redact", room.getMember(sender)?.powerLevel ?? 0) ??
          false);
      setKnown((before) => {
        const votes = new Map(before.votes);
        let { ended } = before;
        for (const other of others) {
          if (other.isRedacted() || other.getRelation()?.event_id !== id) continue;
          const type = other.getType();
          const sender = other.getSender() ?? "";
          if (type === "m.poll.end" || type === `${UNSTABLE}end`) {
            if (mayEnd(sender)) ended = Math.min(ended ?? other.getTs(), other.getTs());
            continue;
          }
          const vote = readVote({
            type,
            sender,
            origin_server_ts: other.getTs(),
            content: other.getContent(),
          });
          // The echo and the event of the server are one.
          if (vote) votes.set(other.getTxnId() ?? other.getId() ?? "", vote);
        }
        return { votes, ended };
      });
    },
    [client, event, id, roomId],
  );

  useEffect(() => {
    let here = true;
    const load = async () => {
      let from: string | undefined;
      do {
        const page = await client.relations(roomId, id, "m.reference", null, {
          limit: 100,
          ...(from ? { from } : {}),
        });
        if (!here) return;
        take(page.events);
        from = page.nextBatch ?? undefined;
      } while (from);
    };
    // What cannot be loaded is drawn as far as it is known.
    if (id.startsWith("$")) load().catch(() => undefined);
    const room = client.getRoom(roomId);
    const heard = (other: MatrixEvent) => take([other]);
    room?.on(RoomEvent.Timeline, heard);
    room?.on(RoomEvent.LocalEchoUpdated, heard);
    return () => {
      here = false;
      room?.off(RoomEvent.Timeline, heard);
      room?.off(RoomEvent.LocalEchoUpdated, heard);
    };
  }, [client, id, roomId, take]);

  const result = useMemo(
    () => (question ? count(question, [...known.votes.values()], known.ended) : null),
    [question, known],
  );
  const stable = event.getType() === "m.poll.start";
  const send = (kind: "response" | "end", content: object) => {
    const relation = { "m.relates_to": { rel_type: "m.reference", event_id: id } };
    client
      .sendEvent(
        roomId,
        null,
        `${stable ? "m.poll." : UNSTABLE}${kind}` as never,
        { ...relation, ...content } as never,
      )
      .catch(() => undefined);
  };
  return {
    question,
    result,
    choose: (answers: readonly string[]) =>
      send("response", stable ? { "m.selections": answers } : { [`${UNSTABLE}response`]: { answers } }),
    end: (words: string) =>
      send("end", stable ? { "m.text": [{ body: words }] } : { [`${UNSTABLE}end`]: {}, [TEXT]: words }),
  };
}

/** The most answers a poll may have. */
export const MOST_ANSWERS = 20;
/** The longest question or answer, in characters. */
export const LONGEST = 340;

/** A poll to be asked. */
export interface NewPoll {
  readonly question: string;
  readonly answers: readonly string[];
  /** How many one may choose. */
  readonly most: number;
  /** Whether people see how it stands before it is over. */
  readonly open: boolean;
}

/**
 * The content of a poll's start: the events of MSC3381 before it was accepted, which all clients with polls read; and its words as a
 * text, for those without.
 */
export function pollContent({ question, answers, most, open }: NewPoll): Record<string, unknown> {
  const words = [question, ...answers.map((answer, index) => `${String(index + 1)}. ${answer}`)].join("\n");
  return {
    [`${UNSTABLE}start`]: {
      kind: `${UNSTABLE}${open ? "disclosed" : "undisclosed"}`,
      max_selections: Math.min(most, answers.length),
      question: { [TEXT]: question, body: question, msgtype: "m.text" },
      answers: answers.map((answer, index) => ({ id: String(index + 1), [TEXT]: answer })),
    },
    [TEXT]: words,
    body: words,
    msgtype: "m.text",
  };
}

/** Asks everybody in a conversation. */
export function sendPoll(client: MatrixClient, place: Place, poll: NewPoll): void {
  const content = { ...pollContent(poll), ...relation(client, place) };
  client
    .sendEvent(place.roomId, place.threadId ?? null, `${UNSTABLE}start` as never, content as never)
    // The outbox takes care of what could not be sent.
    .catch(() => undefined);
}

/** The names of people in a room. */
export function namesIn(client: MatrixClient, roomId: string, userIds: readonly string[]): readonly string[] {
  const room = client.getRoom(roomId);
  return userIds.map((userId) => room?.getMember(userId)?.name ?? userId);
}
