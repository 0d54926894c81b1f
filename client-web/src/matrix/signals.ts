// Fan-out by key: a row listens for its own key and sleeps through everybody else's news.

export type Listener = () => void;

/** Listeners by key. Notifications of one task are delivered together, once each. */
export class Signals {
  private readonly listeners = new Map<string, Set<Listener>>();
  private waiting = new Set<string>();
  private scheduled = false;

  /** Listens for one key; the answer stops it. */
  subscribe(key: string, listener: Listener): () => void {
    let set = this.listeners.get(key);
    if (!set) {
      set = new Set();
      this.listeners.set(key, set);
    }
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.listeners.get(key) === set) this.listeners.delete(key);
    };
  }

  /** Tells the listeners of a key at once. */
  notify(key: string): void {
    for (const listener of [...(this.listeners.get(key) ?? [])]) listener();
  }

  /** Tells the listeners of a key at the end of this task, however often it is asked. */
  notifySoon(key: string): void {
    this.waiting.add(key);
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      const keys = this.waiting;
      this.waiting = new Set();
      for (const waiting of keys) this.notify(waiting);
    });
  }

  /** Whether anybody listens for the key. */
  has(key: string): boolean {
    return this.listeners.has(key);
  }
}

/** Shallow equality of records, for snapshots that must keep their identity while nothing changed. */
export function sameShape<T extends object>(a: T, b: T): boolean {
  const keys = Object.keys(a) as Array<keyof T>;
  return keys.length === Object.keys(b).length && keys.every((key) => Object.is(a[key], b[key]));
}

/** Element-wise equality of lists. */
export function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => Object.is(item, b[index]));
}

/** Something read afresh each time that keeps its identity while it says the same. */
export class Snapshot<T> {
  private readonly read: () => T;
  private readonly same: (a: T, b: T) => boolean;
  private last: { readonly value: T } | null = null;

  constructor(read: () => T, same: (a: T, b: T) => boolean) {
    this.read = read;
    this.same = same;
  }

  readonly get = (): T => {
    const value = this.read();
    if (this.last && this.same(this.last.value, value)) return this.last.value;
    this.last = { value };
    return value;
  };
}
