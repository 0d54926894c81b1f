import { useCallback, useRef, useState } from "react";

/** What stands beside a conversation. */
export type Panel =
  | { readonly what: "members" | "search" | "pinned" | "threads" }
  | { readonly what: "person"; readonly userId: string; readonly fromMembers: boolean }
  | { readonly what: "thread"; readonly threadId: string };

/** The panel of the open room, and how to change it. */
export interface Panels {
  readonly panel: Panel | null;
  readonly show: (panel: Panel) => void;
  /** Closes it; the focus goes back to what opened it, or to where one writes. */
  readonly close: () => void;
  /** Shows it, or closes it where it is shown already. */
  readonly toggle: (panel: Panel) => void;
}

/** A panel belongs to the room it was opened in. */
export function usePanel(roomId: string): Panels {
  const [open, setOpen] = useState<{ readonly roomId: string; readonly panel: Panel } | null>(null);
  const opener = useRef<Element | null>(null);
  const panel = open?.roomId === roomId ? open.panel : null;

  const show = useCallback(
    (next: Panel) => {
      const now = document.activeElement;
      // From one panel to the next: what opened the first one is still where to go back to.
      if (!now?.closest("[data-region='panel']")) opener.current = now;
      setOpen({ roomId, panel: next });
    },
    [roomId],
  );
  const close = useCallback(() => {
    const before = opener.current;
    setOpen(null);
    setTimeout(() => {
      const there =
        before instanceof HTMLElement && before !== document.body && before.isConnected ? before : null;
      const place = there ?? writingPlace();
      place?.focus();
    }, 0);
  }, []);
  const toggle = useCallback(
    (next: Panel) => {
      if (open?.roomId === roomId && open.panel.what === next.what) close();
      else show(next);
    },
    [open, roomId, show, close],
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
