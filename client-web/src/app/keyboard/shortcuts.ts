import { useEffect } from "react";

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

/** Keys as they are written on this machine's keyboard. */
export function written(keys: Keys): string {
  return keys
    .replace("Mod", apple ? "⌘" : "Ctrl")
    .replace("Alt", apple ? "⌥" : "Alt")
    .replace("ArrowUp", "↑")
    .replace("ArrowDown", "↓");
}

/** Acts on keys anywhere on the page; a part that handled a key itself keeps it. */
export function useShortcuts(actions: Record<Keys, () => void>): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      // While a character is being composed, keys belong to the input method.
      if (event.defaultPrevented || event.isComposing) return;
      for (const [keys, act] of Object.entries(actions)) {
        if (!pressed(event, keys)) continue;
        event.preventDefault();
        act();
        return;
      }
    };
    addEventListener("keydown", listener);
    return () => {
      removeEventListener("keydown", listener);
    };
  }, [actions]);
}
