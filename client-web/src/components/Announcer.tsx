import Box from "@mui/material/Box";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { createPortal } from "react-dom";

import { hidden } from "./hidden";

const BETWEEN = 1000;

/** A sentence, or what makes one when its turn has come: what happens until then is summed up in it. An empty one is left out. */
type Sentence = string | (() => string);

/** What was said last: to who listens, and what is shown too. */
interface Said {
  readonly polite: string;
  readonly assertive: string;
  readonly seen: Seen | null;
}

/** A sentence that is shown for a while. */
export interface Seen {
  readonly text: string;
  readonly failure: boolean;
}

/** One voice for the whole page: at most one sentence a second, so that a burst does not drown the reader. Nothing is lost. */
class Voice {
  #said: Said = { polite: "", assertive: "", seen: null };
  #waiting: Sentence[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<() => void>();

  readonly get = () => this.#said;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly say = (sentence: Sentence) => {
    this.#waiting.push(sentence);
    if (this.#timer === undefined) this.#next();
  };

  readonly tell = (sentence: string) => {
    this.#become({ ...this.#said, seen: { text: sentence, failure: false } });
    this.say(sentence);
  };

  readonly alert = (sentence: string) => {
    const assertive = another(sentence, this.#said.assertive);
    this.#become({ ...this.#said, assertive, seen: { text: sentence, failure: true } });
  };

  readonly unshow = () => {
    if (this.#said.seen) this.#become({ ...this.#said, seen: null });
  };

  #next = () => {
    const made = this.#waiting
      .splice(0)
      .map((sentence) => (typeof sentence === "string" ? sentence : sentence()));
    const sentence = [...new Set(made.filter(Boolean))].join(". ");
    this.#timer = undefined;
    if (sentence === "") return;
    this.#become({ ...this.#said, polite: another(sentence, this.#said.polite) });
    this.#timer = setTimeout(this.#next, BETWEEN);
  };

  #become(said: Said) {
    this.#said = said;
    for (const listener of this.#listeners) listener();
  }
}

/** The same words once more are no change to who listens: a mark that is not spoken makes them one. */
function another(sentence: string, before: string): string {
  return sentence === before ? `${sentence}\u200b` : sentence;
}

const voice = new Voice();

/** Says a sentence to who listens instead of looking; those of one second together. */
export const announce = voice.say;

/** Says and shows how something went that leaves no other trace on the page: "Copied". */
export const tell = voice.tell;

/** Says a sentence at once, interrupting, and shows it: an action that failed. */
export const alert = voice.alert;

/** What is to be shown now, and how to take it away. */
export function useSeen(): readonly [seen: Seen | null, unshow: () => void] {
  return [useSyncExternalStore(voice.subscribe, () => voice.get().seen), voice.unshow];
}

/** Says a sentence whenever it becomes another one, what a list holds or a button would do: as it is when its turn has come. */
export function useAnnounced(sentence: string): void {
  const now = useRef("");
  useEffect(() => {
    now.current = sentence;
    if (sentence !== "") announce(() => now.current);
  }, [sentence]);
  useEffect(
    () => () => {
      now.current = "";
    },
    [],
  );
}

/** Where the sentences go; once per page. Beside the application: an open dialog hides that, and is heard all the same. */
export function Announcer() {
  const said = useSyncExternalStore(voice.subscribe, voice.get);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    // A dialog hides all that stands beside it.
    const shown = () => element.removeAttribute("aria-hidden");
    shown();
    const watch = new MutationObserver(shown);
    watch.observe(element, { attributeFilter: ["aria-hidden"] });
    return () => watch.disconnect();
  }, []);
  return createPortal(
    <Box ref={place} sx={{ ...hidden, top: 0 }}>
      <div role="status" aria-live="polite">
        {said.polite}
      </div>
      <div role="alert" aria-live="assertive">
        {said.assertive}
      </div>
    </Box>,
    document.body,
  );
}
