// GIFs of a service that the server asks: nothing of it is ever asked from here.

import { Method, type MatrixClient } from "matrix-js-sdk";
import { useCallback, useEffect, useRef, useState } from "react";

import { authedFetch } from "./client";
import { useClient } from "./MatrixProvider";
import type { Place } from "./send";
import { uploadsOf } from "./upload";

/** A GIF among others. */
export interface Gif {
  readonly id: string;
  readonly title: string;
  /** The size of the small one. */
  readonly width: number;
  readonly height: number;
}

interface Page {
  readonly provider: string;
  readonly gifs: readonly Gif[];
  readonly next?: string;
}

/** What was found, and how to find more. */
export interface FoundGifs {
  readonly status: "loading" | "there" | "failed";
  /** The service, which wants to be named. */
  readonly provider: string | null;
  readonly gifs: readonly Gif[];
  readonly more: (() => void) | null;
  readonly again: () => void;
}

/** How long typing rests before it is asked. */
const REST = 250;
const PREFIX = { prefix: "/_orvale/client/v1" };

interface State {
  readonly status: FoundGifs["status"];
  readonly provider: string | null;
  readonly gifs: readonly Gif[];
  readonly next: string | null;
}

const NOTHING: State = { status: "loading", provider: null, gifs: [], next: null };

/** GIFs for some words; without any, what many people like. */
export function useGifs(words: string, language: string): FoundGifs {
  const client = useClient();
  const wanted = words.trim();
  const [state, setState] = useState<State>(NOTHING);
  const [tries, setTries] = useState(0);
  const asked = useRef<AbortController | null>(null);

  const ask = useCallback(
    async (from: string | null) => {
      asked.current?.abort();
      const stop = new AbortController();
      asked.current = stop;
      const query = { q: wanted, lang: language.slice(0, 2), ...(from === null ? {} : { from }) };
      try {
        const page = await client.http.authedRequest<Page>(Method.Get, "/gifs/search", query, undefined, {
          ...PREFIX,
          abortSignal: stop.signal,
        });
        if (stop.signal.aborted) return;
        setState((before) => {
          const kept = from === null ? [] : before.gifs;
          const known = new Set(kept.map(({ id }) => id));
          return {
            status: "there",
            provider: page.provider,
            gifs: [...kept, ...page.gifs.filter(({ id }) => !known.has(id))],
            next: page.next ?? null,
          };
        });
      } catch {
        if (!stop.signal.aborted) setState((before) => ({ ...before, status: "failed", next: null }));
      }
    },
    [client, wanted, language],
  );

  useEffect(() => {
    const timer = setTimeout(() => void ask(null), wanted === "" ? 0 : REST);
    return () => {
      clearTimeout(timer);
      asked.current?.abort();
    };
  }, [ask, wanted, tries]);

  const { next } = state;
  return {
    status: state.status,
    provider: state.provider,
    gifs: state.gifs,
    more: next === null ? null : () => void ask(next),
    again: () => {
      setState(NOTHING);
      setTries((count) => count + 1);
    },
  };
}

async function fetchGif(client: MatrixClient, id: string, size: string, signal: AbortSignal): Promise<Blob> {
  const path = `/_orvale/client/v1/gifs/${encodeURIComponent(id)}?size=${size}`;
  const answer = await authedFetch(client, path, { signal });
  if (!answer.ok) throw new Error(`The server answered ${String(answer.status)}`);
  return answer.blob();
}

/** An address for the small picture of a GIF; null until it is there. */
export function useGifPicture(id: string, still: boolean): string | null {
  const client = useClient();
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    let made: string | null = null;
    fetchGif(client, id, still ? "still" : "small", stop.signal).then(
      (blob) => {
        if (stop.signal.aborted) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      () => undefined,
    );
    return () => {
      stop.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [client, id, still]);
  return url;
}

/** What a GIF is called as a file, by what it shows. */
export function fileName({ title }: Pick<Gif, "title">): string {
  const words = title.replace(/\.gif$/i, "").replace(/[\\/\p{Cc}]+/gu, " ");
  return `${words.trim().slice(0, 120) || "GIF"}.gif`;
}

interface Kept {
  readonly content_uri: string;
  readonly info: object;
}

/**
 * Sends a GIF. The server makes it a file of its own; where the conversation is encrypted, it comes here first and is sealed like
 * every other file.
 */
export function sendGif(client: MatrixClient, place: Place, gif: Gif): void {
  const name = fileName(gif);
  const uploads = uploadsOf(client);
  void uploads.begin(place, name, 0, async (stop, progress) => {
    if (client.getRoom(place.roomId)?.hasEncryptionStateEvent()) {
      const blob = await fetchGif(client, gif.id, "full", stop.signal);
      return uploads.contentOf(place.roomId, new File([blob], name, { type: blob.type }), stop, progress);
    }
    const path = `/gifs/${encodeURIComponent(gif.id)}`;
    const kept = await client.http.authedRequest<Kept>(Method.Post, path, undefined, undefined, {
      ...PREFIX,
      abortSignal: stop.signal,
    });
    return { msgtype: "m.image", body: name, filename: name, url: kept.content_uri, info: kept.info };
  });
}
