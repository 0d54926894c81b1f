// Something that is to be done again after each of many small changes: at once where little happens, and once for several where so
// much happens that nobody could see each.

/** So many times in a row it is done at once; */
const FREE = 5;
/** within so long, in ms. */
const SPAN = 500;
/** So long what comes after that waits for more, in ms. */
const PAUSE = 100;

/** Does something after changes, and not more often than one can see. */
export class Calm {
  private readonly act: () => void;
  private readonly times: number[] = [];
  private asked = false;

  constructor(act: () => void) {
    this.act = act;
  }

  /** Something has changed. */
  readonly ask = (): void => {
    if (this.asked) return;
    this.asked = true;
    const now = performance.now();
    const [first] = this.times;
    const busy = this.times.length === FREE && first !== undefined && now - first < SPAN;
    const rest = busy ? (this.times[FREE - 1] ?? now) + PAUSE - now : 0;
    // What changes in the same breath is one change in any case.
    if (rest > 0) setTimeout(this.run, rest);
    else queueMicrotask(this.run);
  };

  private readonly run = (): void => {
    this.asked = false;
    this.times.push(performance.now());
    if (this.times.length > FREE) this.times.shift();
    this.act();
  };
}
