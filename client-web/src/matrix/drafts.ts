// What was begun and not sent yet, for each room and thread: text, whom it answers, what it edits. Survives reloads.

import { useCallback, useSyncExternalStore } from "react";

import { draftKey, forgetDrafts, placeOfKey } from "./keptTexts";
import { Signals } from "./signals";

/** A message being written. */
export interface Draft {
  readonly text: string;
  /** The event it answers. */
  readonly replyTo: string | null;
  /** The event it replaces. */
  readonly editing: string | null;
  /** What was being written when editing began. */
  readonly before: string;
}

const EMPTY: Draft = { text: "", replyTo: null, editing: null, before: "" };
/** So long, in ms, after the last letter somebody still writes. */
const PAUSE = 1_000;
const MAX_AGE = 90 * 24 * 60 * 60 * 1000;

/** Drafts of one person. */
export class Drafts {
  private readonly signals = new Signals();
  private readonly known = new Map<string, Draft>();
  /** When something was written here last. */
  private readonly written = new Map<string, number>();
  private readonly owner: string;
  private readonly storage: Storage | null;

  constructor(owner: string, storage: Storage | null) {
    this.owner = owner;
    this.storage = storage;
  }

  private key(place: string): string {
    return draftKey(this.owner, place);
  }

  readonly get = (place: string): Draft => {
    const known = this.known.get(place);
    if (known) return known;
    let draft = EMPTY;
    try {
      const kept = JSON.parse(this.storage?.getItem(this.key(place)) ?? "null") as
        (Partial<Draft> & { at?: number }) | null;
      if (kept && typeof kept.text === "string" && Date.now() - (kept.at ?? 0) < MAX_AGE) {
        draft = {
          text: kept.text,
          replyTo: kept.replyTo ?? null,
          editing: kept.editing ?? null,
          before: kept.before ?? "",
        };
      }
    } catch {
      // Not ours, or no storage.
    }
    this.known.set(place, draft);
    return draft;
  };

  /** Another tab wrote, and its text is the newer one; whoever writes here at the same moment is not interrupted. */
  heard(key: string | null): void {
    const places = key === null ? [...this.known.keys()] : [placeOfKey(this.owner, key)];
    for (const place of places) {
      if (place === null) continue;
      const rest = (this.written.get(place) ?? -Infinity) + PAUSE - performance.now();
      if (rest > 0) setTimeout(() => this.readAgain(place), rest);
      else this.readAgain(place);
    }
  }

  private readAgain(place: string): void {
    if (this.known.delete(place)) this.signals.notify(place);
  }

  /** Gives up all of them, here and in the browser. */
  forget(): void {
    forgetDrafts(this.owner);
    for (const place of [...this.known.keys()]) this.readAgain(place);
  }

  /** Changes a draft. */
  set(place: string, change: Partial<Draft>): void {
    const next = { ...this.get(place), ...change };
    this.known.set(place, next);
    this.written.set(place, performance.now());
    try {
      if (next.text.trim() === "" && !next.replyTo && !next.editing)
        this.storage?.removeItem(this.key(place));
      else this.storage?.setItem(this.key(place), JSON.stringify({ ...next, at: Date.now() }));
    } catch {
      // Storage is full: the draft lives as long as the page.
    }
    this.signals.notify(place);
  }

  /** Begins to edit a message; what was being written comes back afterwards. */
  edit(place: string, eventId: string, text: string): void {
    const now = this.get(place);
    this.set(place, { editing: eventId, replyTo: null, before: now.editing ? now.before : now.text, text });
  }

  /** Ends editing or answering; the text of an edit is given up. */
  leave(place: string): void {
    const now = this.get(place);
    this.set(
      place,
      now.editing ? { editing: null, replyTo: null, text: now.before, before: "" } : { replyTo: null },
    );
  }

  subscribe(place: string, listener: () => void): () => void {
    return this.signals.subscribe(place, listener);
  }
}

const all = new Map<string, Drafts>();

/** The drafts of a person. */
export function draftsOf(owner: string): Drafts {
  let drafts = all.get(owner);
  if (!drafts) {
    let storage: Storage | null = null;
    try {
      storage = globalThis.localStorage;
    } catch {
      // Private mode.
    }
    const made = new Drafts(owner, storage);
    addEventListener("storage", ({ key }) => made.heard(key));
    all.set(owner, made);
    drafts = made;
  }
  return drafts;
}

/** The name of a room's or thread's draft. */
export function placeOf(roomId: string, threadId: string | null = null): string {
  return threadId ? `${roomId} ${threadId}` : roomId;
}

/** A draft, fresh on each change. */
export function useDraft(owner: string, place: string): Draft {
  const drafts = draftsOf(owner);
  const subscribe = useCallback((listener: () => void) => drafts.subscribe(place, listener), [drafts, place]);
  return useSyncExternalStore(subscribe, () => drafts.get(place));
}
