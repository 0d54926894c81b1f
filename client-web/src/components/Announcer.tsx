import Box from "@mui/material/Box";
import { hidden } from "./hidden";
import { useSyncExternalStore } from "react";

const BETWEEN = 1000;

/** One voice for the whole page: at most one sentence a second, so that a burst does not drown the reader. */
class Voice {
  #said = { polite: "", assertive: "" };
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<() => void>();

  readonly get = () => this.#said;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly say = (sentence: string) => {
    this.#waiting.push(sentence);
    if (this.#timer === undefined) this.#next();
  };

  readonly alert = (sentence: string) => {
    this.#become({ ...this.#said, assertive: sentence });
  };

  #next = () => {
    const sentence = this.#waiting.splice(0).at(-1);
    this.#timer = undefined;
    if (sentence === undefined) return;
    this.#become({ ...this.#said, polite: sentence });
    this.#timer = setTimeout(this.#next, BETWEEN);
  };

  #become(said: { polite: string; assertive: string }) {
    this.#said = said;
    for (const listener of this.#listeners) listener();
  }
}

const voice = new Voice();

/** Says a sentence to who listens instead of looking; of several within a second the last. */
export const announce = voice.say;

/** Says a sentence at once, interrupting: a call that rings, an action that failed. */
export const alert = voice.alert;

/** Where the sentences go; once per page. */
export function Announcer() {
  const said = useSyncExternalStore(voice.subscribe, voice.get);
  return (
    <Box sx={hidden}>
      <div role="status" aria-live="polite">
        {said.polite}
      </div>
      <div role="alert" aria-live="assertive">
        {said.assertive}
      </div>
    </Box>
  );
}
