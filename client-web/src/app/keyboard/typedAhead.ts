// What is typed between the keys that open a field and the moment the field has the focus. The part of the page with the field may
// have to be loaded first; what is typed meanwhile would go wherever the focus still is.

/** What was typed: the text, and whether Enter ended it. */
export interface Typed {
  readonly text: string;
  readonly entered: boolean;
}

const NOTHING: Typed = { text: "", entered: false };

/** After this long the field is not coming, in ms. */
const PATIENCE = 10_000;

let stop: (() => Typed) | null = null;

/** Begins to hold back what is typed; Escape gives up. */
export function holdTyping(onEscape: () => void): void {
  stop?.();
  let text = "";
  let entered = false;
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") {
      stop?.();
      onEscape();
    } else if (event.key === "Backspace") text = Array.from(text).slice(0, -1).join("");
    else if (event.key === "Enter") entered = true;
    else if (Array.from(event.key).length === 1 && !entered) text += event.key;
    else if (event.key === "Shift" || event.key === "CapsLock" || event.key === "AltGraph") return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const end = () => {
    stop?.();
  };
  const timer = setTimeout(end, PATIENCE);
  addEventListener("keydown", onKey, true);
  addEventListener("pointerdown", end, true);
  stop = () => {
    clearTimeout(timer);
    removeEventListener("keydown", onKey, true);
    removeEventListener("pointerdown", end, true);
    stop = null;
    return { text, entered };
  };
}

/** Ends that, and gives what was typed: for the field, now that it has the focus. */
export function takeTyped(): Typed {
  return stop?.() ?? NOTHING;
}
