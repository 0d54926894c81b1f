import { useCallback, useEffect, useMemo, useRef } from "react";
import { useSearchParams } from "react-router";

/** What stands beside a conversation. */
export type Panel =
  | { readonly what: "members" | "search" | "pinned" | "threads" }
  | { readonly what: "person"; readonly userId: string; readonly fromMembers: boolean }
  | {
      readonly what: "thread";
      readonly threadId: string;
      /** The message of it to begin with. */
      readonly at?: string;
    };

/** The panel of the open room, and how to change it. */
export interface Panels {
  readonly panel: Panel | null;
  readonly show: (panel: Panel) => void;
  /** Closes it; the focus goes back to what opened it, or to where one writes. */
  readonly close: () => void;
  /** Shows it, or closes it where it is shown already. */
  readonly toggle: (panel: Panel) => void;
}

/** Where the panel stands in an address: going back closes it, and loading the page again leaves it open. */
export const BESIDE = "beside";

const PLAIN = ["members", "search", "pinned", "threads"] as const;

/** The panel that an address names. */
export function readPanel(written: string | null): Panel | null {
  const [what, ...rest] = (written ?? "").split(" ");
  const id = rest.join(" ");
  const plain = PLAIN.find((name) => name === what);
  if (plain) return { what: plain };
  const [threadId = "", at = ""] = rest;
  if (what === "thread" && threadId.startsWith("$"))
    return { what, threadId, ...(at.startsWith("$") ? { at } : {}) };
  if ((what === "person" || what === "member") && id.startsWith("@"))
    return { what: "person", userId: id, fromMembers: what === "member" };
  return null;
}

/** How a panel is named in an address. */
export function writePanel(panel: Panel): string {
  if (panel.what === "thread") return ["thread", panel.threadId, panel.at].filter(Boolean).join(" ");
  if (panel.what === "person") return `${panel.fromMembers ? "member" : "person"} ${panel.userId}`;
  return panel.what;
}

/** The panel of the open room. */
export function usePanel(): Panels {
  const [search, setSearch] = useSearchParams();
  const written = search.get(BESIDE);
  const panel = useMemo(() => readPanel(written), [written]);
  const opener = useRef<Element | null>(null);
  const open = panel !== null;
  const was = useRef(open);
  // What opens and closes it stays the same: a hundred messages hold on to that.
  const change = useRef(setSearch);
  useEffect(() => {
    change.current = setSearch;
  }, [setSearch]);

  const show = useCallback((next: Panel) => {
    const now = document.activeElement;
    // From one panel to the next: what opened the first one is still where to go back to.
    if (!now?.closest("[data-region='panel']")) opener.current = now;
    change.current(
      (before) => {
        before.set(BESIDE, writePanel(next));
        return before;
      },
      { replace: was.current },
    );
  }, []);
  const close = useCallback(() => {
    change.current(
      (before) => {
        before.delete(BESIDE);
        return before;
      },
      { replace: true },
    );
  }, []);

  useEffect(() => {
    const closed = was.current && !open;
    was.current = open;
    if (!closed) return;
    const before = opener.current;
    setTimeout(() => {
      // Whoever has gone on to somewhere else stays there.
      if (document.activeElement !== document.body) return;
      const there =
        before instanceof HTMLElement && before !== document.body && before.isConnected ? before : null;
      const place = there ?? writingPlace();
      place?.focus();
    }, 0);
  }, [open]);

  const toggle = useCallback(
    (next: Panel) => {
      if (panel?.what === next.what) close();
      else show(next);
    },
    [panel, show, close],
  );
  return { panel, show, close, toggle };
}

/** Where one writes in the open conversation, or else reads. */
export function writingPlace(): HTMLElement | null {
  const places = ["[data-region='composer'] textarea", "[data-region='timeline']", "[data-region='rooms']"];
  for (const place of places) {
    const found = document.querySelector<HTMLElement>(place);
    if (found) return found;
  }
  return null;
}
