// Which tab holds the keys.
/*
 * A device's keys move forward with each message; two tabs that moved them at once would tear them apart. So one tab holds them,
 * by a lock that the browser gives on when the tab is closed, and hands them to another that somebody looks at.
 */

type Told =
  | { readonly ask: true; readonly looking: boolean }
  | { readonly news: readonly unknown[] }
  | { readonly done: readonly string[] };

interface Parts {
  readonly locks: LockManager | undefined;
  readonly channel: BroadcastChannel | undefined;
}

/** The browser's own, where it has them: without, one tab is all there is. */
export function parts(name: string): Parts {
  return {
    locks: (navigator as { locks?: LockManager }).locks,
    channel: typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(name),
  };
}

/** Between two times of asking, in ms: whoever has the keys may be in the middle of something, and nobody tells when that is over. */
const AGAIN = 500;

/** One tab's side of it. */
export class Ownership {
  private readonly name: string;
  private readonly parts: Parts;
  private let_go: (() => void) | null = null;
  private waiting: Promise<void> | null = null;
  private asking: ReturnType<typeof setInterval> | undefined;
  /** Puts the keys away before another tab takes them; false keeps them. */
  onAsked: (looking: boolean) => Promise<boolean> = () => Promise.resolve(true);
  /** Another tab was told something that is for the tab with the keys. */
  onNews: (news: readonly unknown[]) => void = () => undefined;
  /** Another tab dealt with these already. */
  onDone: (marks: readonly string[]) => void = () => undefined;

  constructor(name: string, given: Parts = parts(name)) {
    this.name = name;
    this.parts = given;
    if (!given.channel) return;
    given.channel.onmessage = ({ data }: MessageEvent<Told>) => {
      if ("ask" in data) void this.asked(data.looking);
      else if ("news" in data) this.onNews(data.news);
      else this.onDone(data.done);
    };
  }

  /** Whether the keys are here. */
  get held(): boolean {
    return this.let_go !== null;
  }

  /** Waits until the keys are here: a tab that is looked at asks for them until they are. */
  take(isLookedAt: () => boolean): Promise<void> {
    if (this.held) return Promise.resolve();
    if (!this.parts.locks) {
      this.let_go = () => undefined;
      return Promise.resolve();
    }
    const { locks } = this.parts;
    this.asking ??= setInterval(() => {
      if (isLookedAt()) this.tell({ ask: true, looking: true });
    }, AGAIN);
    this.waiting ??= new Promise<void>((here, failed) => {
      locks
        .request(this.name, () => {
          this.waiting = null;
          this.askNoMore();
          here();
          return new Promise<void>((done) => {
            this.let_go = done;
          });
        })
        .catch(failed);
    });
    this.tell({ ask: true, looking: isLookedAt() });
    return this.waiting;
  }

  private askNoMore(): void {
    clearInterval(this.asking);
    this.asking = undefined;
  }

  /** Hands to the tab with the keys what came for it. */
  pass(news: readonly unknown[]): void {
    this.tell({ news });
  }

  /** Tells all tabs what needs no second look. */
  done(marks: readonly string[]): void {
    this.tell({ done: marks });
  }

  release(): void {
    this.let_go?.();
    this.let_go = null;
  }

  close(): void {
    this.askNoMore();
    this.release();
    this.parts.channel?.close();
  }

  private async asked(looking: boolean): Promise<void> {
    if (this.held && this.parts.locks && (await this.onAsked(looking))) this.release();
  }

  private tell(told: Told): void {
    try {
      this.parts.channel?.postMessage(told);
    } catch {
      // Closed: nobody is here any more.
    }
  }
}
