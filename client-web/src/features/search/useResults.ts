import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { useClient } from "../../matrix/MatrixProvider";
import {
  type FoundChannel,
  type FoundMessage,
  type FoundPerson,
  isQuestion,
  searchChannels,
  searchMessages,
  searchPeople,
} from "../../matrix/search";
import { queryOf, type Typed } from "./query";

/** How long the typing has to rest before the server is asked. */
const REST = 180;

/** What was found of one kind. */
export interface Group<T> {
  readonly status: "loading" | "ready" | "failed";
  readonly items: readonly T[];
  /** How many there are, as far as is known. */
  readonly count: number;
  readonly highlights: readonly string[];
  readonly next: string | null;
}

/** What was found, by kind; null for kinds that are not asked for. */
export interface Results {
  readonly messages: Group<FoundMessage> | null;
  readonly files: Group<FoundMessage> | null;
  readonly people: Group<FoundPerson> | null;
  readonly channels: Group<FoundChannel> | null;
}

/** The kinds, in their order on the screen. */
export const kinds = ["messages", "files", "people", "channels"] as const;

/** A kind of what is found. */
export type Kind = (typeof kinds)[number];

const NOTHING: Results = { messages: null, files: null, people: null, channels: null };
const WAITING = { status: "loading", items: [], count: 0, highlights: [], next: null } as const;

/** Asks while somebody types: after a rest, each question ending the one before. What was found stays until the next is there. */
export function useResults(typed: Typed, wanted: readonly Kind[]) {
  const client = useClient();
  const [results, setResults] = useState<Results>(NOTHING);
  const [answered, setAnswered] = useState("");
  const [tries, setTries] = useState(0);
  const query = useMemo(() => queryOf(typed), [typed]);
  const asked = isQuestion(query) ? `${JSON.stringify(query)} ${wanted.join(" ")} ${String(tries)}` : "";
  const running = useRef<AbortController | null>(null);

  useEffect(() => {
    if (asked === "") return;
    const stop = new AbortController();
    running.current = stop;
    const set = (kind: Kind, group: object) => {
      if (!stop.signal.aborted) setResults((before) => ({ ...before, [kind]: group }));
    };
    const ask = <T>(
      kind: Kind,
      asking: Promise<readonly T[] | (Omit<Group<T>, "status" | "items"> & { hits: readonly T[] })>,
    ) =>
      asking.then(
        (found) => {
          if ("hits" in found) set(kind, { ...found, items: found.hits, status: "ready" });
          else {
            const highlights = query.words.toLowerCase().split(/\s+/);
            set(kind, { ...WAITING, items: found, count: found.length, highlights, status: "ready" });
          }
        },
        () => set(kind, { ...WAITING, status: "failed" }),
      );
    const timer = setTimeout(() => {
      const { signal } = stop;
      // Filters are about messages: nobody is "before Monday".
      const byName = query.words !== "" && typed.filters.length === 0;
      const does: Record<Kind, (() => Promise<void>) | null> = {
        messages: query.has.some((has) => has !== "link")
          ? null
          : () => ask("messages", searchMessages(client, query, "messages", { signal })),
        files: query.has.includes("link")
          ? null
          : () => ask("files", searchMessages(client, query, "files", { signal })),
        people: byName ? () => ask("people", searchPeople(client, query.words, signal)) : null,
        channels: byName ? () => ask("channels", searchChannels(client, query.words, signal)) : null,
      };
      const asks = kinds.map((kind) => [kind, wanted.includes(kind) ? does[kind] : null] as const);
      setResults((before) => {
        const next: Record<Kind, unknown> = { ...before };
        for (const [kind, does] of asks) next[kind] = does ? (next[kind] ?? WAITING) : null;
        return next as unknown as Results;
      });
      void Promise.all(asks.map(([, does]) => does?.() ?? Promise.resolve())).then(() => {
        if (!signal.aborted) setAnswered(asked);
      });
    }, REST);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `asked` names all that decides
  }, [asked, client]);

  const more = useCallback(
    async (kind: "messages" | "files") => {
      const before = results[kind];
      const signal = running.current?.signal;
      if (!before?.next || !signal) return;
      const page = await searchMessages(client, query, kind, { next: before.next, signal });
      if (signal.aborted) return;
      const known = new Set(before.items.map((hit) => hit.eventId));
      setResults((now) => ({
        ...now,
        [kind]: {
          status: "ready",
          items: [...before.items, ...page.hits.filter((hit) => !known.has(hit.eventId))],
          count: Math.max(before.count, page.count),
          highlights: [...new Set([...before.highlights, ...page.highlights])],
          next: page.next,
        },
      }));
    },
    [client, query, results],
  );

  return {
    /** Something is asked for. */
    isQuestion: asked !== "",
    results: asked === "" ? NOTHING : results,
    /** The newest question is not answered yet. */
    pending: asked !== "" && answered !== asked,
    more,
    retry: useCallback(() => setTries((count) => count + 1), []),
  };
}
