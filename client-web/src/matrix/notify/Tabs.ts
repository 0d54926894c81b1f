// The tabs of one person in one browser: which one speaks for all, and what is looked at in the others.

type Told = { readonly tab: string; readonly looks: string | null } | { readonly who: true };

/** What of a browser this needs. */
export interface TabParts {
  readonly locks: LockManager | undefined;
  readonly channel: Pick<BroadcastChannel, "postMessage" | "close" | "onmessage"> | undefined;
}

function parts(name: string): TabParts {
  return {
    locks: (navigator as { locks?: LockManager }).locks,
    channel: typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(name),
  };
}

/** This tab among the others. */
export class Tabs {
  private readonly id = crypto.getRandomValues(new Uint32Array(2)).join("-");
  private readonly parts: TabParts;
  private readonly others = new Map<string, string>();
  private own: string | null = null;
  private speaker = false;
  private end: (() => void) | null = null;
  private readonly stop = new AbortController();

  constructor(name: string, given: TabParts = parts(name)) {
    this.parts = given;
    if (given.channel) {
      given.channel.onmessage = ({ data }: MessageEvent<Told>) => {
        if ("who" in data) this.tell({ tab: this.id, looks: this.own });
        else if (data.looks === null) this.others.delete(data.tab);
        else this.others.set(data.tab, data.looks);
      };
    }
    if (!given.locks) {
      this.speaker = true;
      return;
    }
    given.locks
      .request(name, { signal: this.stop.signal }, () => {
        this.speaker = true;
        this.tell({ who: true });
        return new Promise<void>((done) => {
          this.end = done;
        });
      })
      .catch(() => undefined);
  }

  /** Whether this tab speaks for all. The browser sees to it that one does, also when another is closed. */
  get speaks(): boolean {
    return this.speaker;
  }

  /** Which room is looked at here, or none. */
  looks(roomId: string | null): void {
    if (roomId === this.own) return;
    this.own = roomId;
    this.tell({ tab: this.id, looks: roomId });
  }

  /** Whether a room is looked at, here or in another tab. */
  isLookedAt(roomId: string): boolean {
    return this.own === roomId || [...this.others.values()].includes(roomId);
  }

  close(): void {
    this.looks(null);
    this.stop.abort();
    this.end?.();
    this.speaker = false;
    this.parts.channel?.close();
  }

  private tell(told: Told): void {
    try {
      this.parts.channel?.postMessage(told);
    } catch {
      // Closed.
    }
  }
}
