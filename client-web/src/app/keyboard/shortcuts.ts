import type { TFunction } from "i18next";
import { useEffect } from "react";

import { preferences } from "../../preferences/store";

/** Keys as `Mod+K`: Mod is Ctrl, or Cmd on Apple's machines. */
export type Keys = string;

const apple = /Mac|iPhone|iPad/.test(navigator.platform);

/** Whether an event is these keys, and no others. */
export function pressed(event: KeyboardEvent, keys: Keys): boolean {
  const parts = keys.split("+");
  const key = parts.pop();
  const wants = (name: string) => parts.includes(name);
  const mod = apple ? event.metaKey : event.ctrlKey;
  const other = apple ? event.ctrlKey : event.metaKey;
  return (
    event.key.toLowerCase() === key?.toLowerCase() &&
    mod === wants("Mod") &&
    !other &&
    event.altKey === wants("Alt") &&
    // A sign that needs Shift on some keyboards is the same sign there.
    (event.shiftKey === wants("Shift") || (key === "/" && !wants("Shift")))
  );
}

/** Keys with a name of their own in each language. */
const NAMED = ["Ctrl", "Shift", "Enter", "Home", "End", "Del"];
const SIGNS: Readonly<Record<string, string>> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ...(apple ? { Mod: "⌘", Alt: "⌥", Shift: "⇧" } : {}),
};

/** Keys as they are written on this machine's keyboard, in the language of the texts. */
export function written(keys: Keys, t: TFunction): string {
  if (keys === "+") return keys;
  const name = (part: string) => {
    const sign = SIGNS[part];
    if (sign !== undefined) return sign;
    const key = part === "Mod" ? "Ctrl" : part;
    return NAMED.includes(key) ? t(`app.keyNames.${key}`) : key;
  };
  return keys.split("+").map(name).join("+");
}

/** Acts on keys anywhere on the page; a part that handled a key itself keeps it. What answers `false` leaves it to the browser. */
export function useShortcuts(actions: Record<Keys, () => unknown>): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      // While a character is being composed, keys belong to the input method.
      if (event.defaultPrevented || event.isComposing || !preferences.get().effective.shortcuts) return;
      for (const [keys, act] of Object.entries(actions)) {
        if (!pressed(event, keys)) continue;
        if (act() !== false) event.preventDefault();
        return;
      }
    };
    addEventListener("keydown", listener);
    return () => {
      removeEventListener("keydown", listener);
    };
  }, [actions]);
}
