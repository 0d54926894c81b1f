// How long one's own messages can be changed. The server decides; this tells which buttons to show.

import { Method, type MatrixClient } from "matrix-js-sdk";
import { useEffect, useState, useSyncExternalStore } from "react";

import type { TimelineEvent } from "./events";
import { useClient } from "./MatrixProvider";
import { serverNow } from "./serverTime";

/** The windows, in milliseconds; null means without end. */
export interface Windows {
  readonly edit: number | null;
  readonly delete: number | null;
}

const DEFAULT: Windows = { edit: 180_000, delete: 180_000 };

/** What the server can do besides what is in the specification. */
export interface Offers {
  /** Previews of what links lead to. */
  readonly previews: boolean;
  /** GIFs to look for. */
  readonly gifs: boolean;
  /** The types of files it takes, as `accept` of a field for files has them; empty for all. */
  readonly accepted: string;
}

const NONE: Offers = { previews: false, gifs: false, accepted: "" };

/** What people of this server may say of themselves. */
export interface StatusRules {
  readonly enabled: boolean;
  /** The most characters of it. */
  readonly length: number;
}

const STATUS: StatusRules = { enabled: true, length: 100 };

interface Asked {
  windows: Windows;
  offers: Offers;
  status: StatusRules;
  readonly listeners: Set<() => void>;
}

const asked = new WeakMap<MatrixClient, Asked>();

function windowOf(value: unknown): number | null | undefined {
  if (value === null || value === 0) return null;
  return typeof value === "number" && value > 0 ? value : undefined;
}

/** The part of the answer of `GET /_orvale/client/v1/settings` that is read here. */
interface Settings {
  readonly messages?: { readonly edit_window_ms?: unknown; readonly delete_window_ms?: unknown };
  readonly media?: {
    readonly url_previews?: unknown;
    readonly gifs?: unknown;
    readonly accepted_types?: unknown;
  };
  readonly presence?: { readonly status_messages?: unknown; readonly max_status_message_chars?: unknown };
}

/** What the server says about status messages, among its settings. */
export function readStatusRules({ presence }: Settings): StatusRules {
  const length = presence?.max_status_message_chars;
  return {
    enabled: presence?.status_messages !== false,
    length: typeof length === "number" && length > 0 ? length : STATUS.length,
  };
}

/** What the server says about its windows, among its settings. */
export function readWindows({ messages }: Settings): Windows {
  const edit = windowOf(messages?.edit_window_ms);
  const remove = windowOf(messages?.delete_window_ms);
  return {
    edit: edit === undefined ? DEFAULT.edit : edit,
    delete: remove === undefined ? DEFAULT.delete : remove,
  };
}

/** Which types of files the server takes, as a field for files is told. */
export function readAccepted({ media }: Settings): string {
  const types = media?.accepted_types;
  return Array.isArray(types) ? types.filter((type) => typeof type === "string").join(",") : "";
}

function ask(client: MatrixClient): Asked {
  let state = asked.get(client);
  if (!state) {
    const fresh: Asked = { windows: DEFAULT, offers: NONE, status: STATUS, listeners: new Set() };
    state = fresh;
    asked.set(client, fresh);
    const path = { prefix: "/_orvale/client/v1" };
    client.http.request<Settings>(Method.Get, "/settings", undefined, undefined, path).then(
      (settings) => {
        fresh.windows = readWindows(settings);
        fresh.offers = {
          previews: settings.media?.url_previews === true,
          gifs: settings.media?.gifs === true,
          accepted: readAccepted(settings),
        };
        fresh.status = readStatusRules(settings);
        for (const listener of fresh.listeners) listener();
      },
      () => undefined,
    );
  }
  return state;
}

/** How long one's own messages can be edited and deleted. */
export function useWindows(): Windows {
  const state = ask(useClient());
  return useSyncExternalStore(
    (listener) => {
      state.listeners.add(listener);
      return () => state.listeners.delete(listener);
    },
    () => state.windows,
  );
}

/** What the server offers. */
export function useOffers(): Offers {
  const state = ask(useClient());
  return useSyncExternalStore(
    (listener) => {
      state.listeners.add(listener);
      return () => state.listeners.delete(listener);
    },
    () => state.offers,
  );
}

/** What this person may say of themselves. */
export function useStatusRules(): StatusRules {
  const state = ask(useClient());
  return useSyncExternalStore(
    (listener) => {
      state.listeners.add(listener);
      return () => state.listeners.delete(listener);
    },
    () => state.status,
  );
}

/** The windows as they are known now. */
export function windowsNow(client: MatrixClient): Windows {
  return ask(client).windows;
}

/** Whether a window is still open, by the server's clock. */
export function isOpen(sent: number, window: number | null, now = serverNow()): boolean {
  return window === null || now < sent + window;
}

/** Which changes of a message are open now; closes by itself at the end of the window. */
export function useOpenWindows(
  event: TimelineEvent,
  mine: boolean,
): { readonly edit: boolean; readonly delete: boolean } {
  const windows = useWindows();
  const [, again] = useState(0);
  const sent = event.getTs();
  const edit = mine && isOpen(sent, windows.edit);
  const remove = mine && isOpen(sent, windows.delete);
  useEffect(() => {
    const ends = [edit ? windows.edit : null, remove ? windows.delete : null]
      .filter((window) => window !== null)
      .map((window) => sent + window - serverNow());
    if (ends.length === 0) return;
    const timer = setTimeout(() => again((count) => count + 1), Math.max(Math.min(...ends), 0) + 5);
    return () => clearTimeout(timer);
  }, [edit, remove, sent, windows]);
  return { edit, delete: remove };
}
