// What of a long list is drawn, and where it stands. React draws the rows, this measures them and moves the view.
//
// Heights of rows that were never drawn are guessed, so nothing is placed by adding heights up. Instead one row in view is the
// anchor: whatever is drawn, loaded or grows above it, after each change it is put back to where it stood, before anything is
// painted. While the end is held, the end takes the anchor's part.

/** A row, and how far its upper edge is below the upper edge of the view, in px. */
export interface Place {
  readonly key: string;
  readonly top: number;
}

/** Where a list begins, or is sent to. */
export type Aim =
  | "start"
  | "end"
  | Place
  /** The middle of the view, or just as far that the whole row is in view. */
  | { readonly key: string; readonly align: "center" | "nearest" };

/** Rows that are drawn, in order; between two that do not follow each other is a gap. */
export interface Drawn<T> {
  readonly items: readonly T[];
  readonly indexes: readonly number[];
}

/** What the list is told by its owner. */
export interface Listeners {
  /** The view came to the end or left it. */
  readonly onEnd?: ((atEnd: boolean) => void) | undefined;
  /** Less than two views are left before an edge. */
  readonly onNear?: ((edge: "start" | "end") => void) | undefined;
  /** Somebody scrolled; null at the end. */
  readonly onPlace?: ((place: Place | null) => void) | undefined;
}

/** So near to the end, in px, is at the end. */
const AT_END = 24;
/** Drawn above and below the view, in px. */
const AROUND = 800;
/** So many rows tell how high others may be. */
const ENOUGH = 30;

/** One list on the page. */
export class Scroller<T> {
  private readonly keyOf: (item: T) => string;
  private readonly listeners = new Set<() => void>();
  private readonly elements = new Map<string, HTMLElement>();
  private readonly gaps = new Map<string, HTMLElement>();
  private readonly heights = new Map<string, number>();
  private readonly resized: ResizeObserver | null;
  private told: Listeners = {};
  private view: HTMLElement | null = null;
  private items: readonly T[] = [];
  private keys: readonly string[] = [];
  private places = new Map<string, number>();
  private drawn: Drawn<T> = { items: [], indexes: [] };
  /** The run of rows that is drawn because it is in view or near it. */
  private from = 0;
  private to = 0;
  private kept: string | null = null;
  private anchor: Place | null = null;
  private aim: { readonly key: string; readonly align: "center" | "nearest" } | null = null;
  private arrived: (() => void) | null = null;
  /** Whether the end is to stay in view when rows are added there. */
  private followEnd = false;
  private holdsEnd = false;
  private atEnd = true;
  /** What this class scrolled to: the event that tells of it is no doing of the reader's. */
  private scrolledTo: number | null = null;
  private before = 0;
  private total = 0;
  private around = 0;
  /** What a row that was never drawn is taken for: first what the owner says, then what others came to. */
  private guess: number;
  private guessed = true;
  private widening: ReturnType<typeof setTimeout> | undefined;

  constructor(keyOf: (item: T) => string, estimate: number, aim: Aim) {
    this.keyOf = keyOf;
    this.guess = estimate;
    this.aimAt(aim);
    this.resized = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(() => this.settle());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): Drawn<T> => this.drawn;

  /** Who is told. */
  listen(told: Listeners): void {
    this.told = told;
  }

  /** The first rows, chosen before there is a view, so that they are in the first picture: as if it were as high as the window. */
  begin(items: readonly T[], kept: string | null, followEnd: boolean): this {
    this.update(items, kept, followEnd);
    return this;
  }

  /** The element that scrolls. */
  attach(view: HTMLElement): () => void {
    this.view = view;
    view.addEventListener("scroll", this.scrolled, { passive: true });
    view.addEventListener("wheel", this.wheeled, { passive: true });
    this.resized?.observe(view);
    this.cover();
    // The first frame holds what is in view; what is around it follows.
    this.widening = setTimeout(() => {
      this.around = AROUND;
      this.cover();
    }, 50);
    return () => {
      clearTimeout(this.widening);
      view.removeEventListener("scroll", this.scrolled);
      view.removeEventListener("wheel", this.wheeled);
      this.resized?.unobserve(view);
      this.view = null;
    };
  }

  /** The element of a drawn row, or null when it goes. */
  row(key: string, element: HTMLElement | null): void {
    const before = this.elements.get(key);
    if (before === element) return;
    if (before) this.resized?.unobserve(before);
    if (element) {
      this.elements.set(key, element);
      this.resized?.observe(element);
    } else this.elements.delete(key);
  }

  /** The element that stands for rows not drawn before a row (or at the end). */
  gap(key: string, element: HTMLElement | null): void {
    if (element) this.gaps.set(key, element);
    else this.gaps.delete(key);
  }

  /** New rows, a row that must stay drawn, and whether new rows at the end are followed. */
  update(items: readonly T[], kept: string | null, followEnd: boolean): void {
    const same = items === this.items;
    if (same && kept === this.kept && followEnd === this.followEnd) return;
    this.kept = kept;
    if (!followEnd) this.holdsEnd = false;
    else if (!this.followEnd && this.view && this.isAtEnd() && this.aim === null) this.holdsEnd = true;
    this.followEnd = followEnd;
    if (!same) this.take(items);
    this.cover();
  }

  private take(items: readonly T[]): void {
    const first = this.keys[this.from];
    const last = this.keys[this.to - 1];
    const keys = items.map(this.keyOf);
    const places = new Map(keys.map((key, index) => [key, index]));
    if (this.anchor && !places.has(this.anchor.key)) this.anchor = this.nextTo(this.anchor.key, places);
    this.items = items;
    this.keys = keys;
    this.places = places;
    const from = first === undefined ? undefined : places.get(first);
    const to = last === undefined ? undefined : places.get(last);
    const kept = from !== undefined && to !== undefined && to - from < 400;
    this.from = kept ? from : 0;
    this.to = kept ? to + 1 : 0;
    if (this.heights.size > 2 * keys.length + 1_000)
      for (const key of this.heights.keys()) if (!places.has(key)) this.heights.delete(key);
  }

  /** When the anchor's row is gone: the nearest drawn one that is still there. */
  private nextTo(key: string, places: ReadonlyMap<string, number>): Place | null {
    const at = this.places.get(key) ?? 0;
    for (let by = 1; by < 400; by += 1) {
      for (const other of [this.keys[at + by], this.keys[at - by]]) {
        if (other === undefined || !places.has(other)) continue;
        const top = this.topOf(other);
        if (top !== null) return { key: other, top };
      }
    }
    return null;
  }

  /** Sends the view somewhere; `arrived` is called when the row is drawn and in place. */
  scrollTo(aim: Aim, arrived?: () => void): void {
    if (typeof aim === "object" && "align" in aim && aim.align === "nearest") {
      const top = this.topOf(aim.key);
      const height = this.heights.get(aim.key) ?? 0;
      // Nothing moves for a row that is wholly in view.
      if (top !== null && this.view && top >= 0 && top + height <= this.view.clientHeight) {
        arrived?.();
        return;
      }
    }
    this.arrived = arrived ?? null;
    this.aimAt(aim);
    if (!this.cover()) this.settle();
  }

  private aimAt(aim: Aim): void {
    this.holdsEnd = aim === "end";
    this.aim = null;
    if (aim === "end" || aim === "start") {
      const key = this.keys[0];
      this.anchor = aim === "start" && key !== undefined ? { key, top: 0 } : null;
    } else if ("align" in aim) {
      this.aim = aim;
      this.anchor = { key: aim.key, top: 0 };
    } else this.anchor = aim;
  }

  private heightAt(index: number): number {
    return this.heights.get(this.keys[index] ?? "") ?? this.guess;
  }

  private heightOf(from: number, to: number): number {
    let sum = 0;
    for (let index = from; index < to; index += 1) sum += this.heightAt(index);
    return sum;
  }

  /** Where a drawn row stands in the view. */
  private topOf(key: string): number | null {
    const element = this.elements.get(key);
    if (!element || !this.view) return null;
    return element.getBoundingClientRect().top - this.view.getBoundingClientRect().top - this.view.clientTop;
  }

  /** Draws what is in view and around it; tells whether that is more or less than was drawn. */
  private cover(): boolean {
    const view = this.view;
    const count = this.items.length;
    if (count === 0) return this.show(0, 0);
    const height = view?.clientHeight ?? window.innerHeight;
    let at = this.anchor ? this.places.get(this.anchor.key) : undefined;
    let top = this.anchor?.top ?? 0;
    if (this.holdsEnd || at === undefined) {
      at = this.holdsEnd ? count - 1 : 0;
      top = this.holdsEnd ? height - this.heightAt(at) : 0;
    } else if (this.aim) top = height / 2;
    const reach = (around: number): [number, number] => {
      let from = at;
      for (let above = top; above > -around && from > 0; from -= 1) above -= this.heightAt(from - 1);
      let to = at + 1;
      for (let below = top + this.heightAt(at); below < height + around && to < count; to += 1)
        below += this.heightAt(to);
      return [from, to];
    };
    const [least, most] = [reach(this.around / 2), reach(2 * this.around)];
    const enough = this.from <= least[0] && this.to >= least[1];
    // In the first frame a row more does no harm, and drawing again does.
    const tooMuch = this.around > 0 && (this.from < most[0] || this.to > most[1]);
    if (enough && !tooMuch) return this.show(this.from, this.to);
    return this.show(...reach(this.around));
  }

  private show(from: number, to: number): boolean {
    this.from = from;
    this.to = to;
    const indexes = Array.from({ length: to - from }, (_, at) => from + at);
    const kept = this.kept === null ? undefined : this.places.get(this.kept);
    if (kept !== undefined && kept < from) indexes.unshift(kept);
    if (kept !== undefined && kept >= to) indexes.push(kept);
    const before = this.drawn;
    if (
      before.items === this.items &&
      before.indexes.length === indexes.length &&
      before.indexes.every((index, at) => index === indexes[at])
    )
      return false;
    this.drawn = { items: this.items, indexes };
    for (const listener of [...this.listeners]) listener();
    return true;
  }

  /** After rows were drawn or changed their height, before that is painted: everything is put where it belongs. */
  settle(): void {
    const view = this.view;
    if (!view || this.drawn.items !== this.items) return;
    for (const index of this.drawn.indexes) {
      const key = this.keys[index] ?? "";
      const element = this.elements.get(key);
      if (element) this.heights.set(key, element.getBoundingClientRect().height);
    }
    if (this.guessed && this.heights.size >= ENOUGH) {
      this.guessed = false;
      this.guess = [...this.heights.values()].reduce((sum, height) => sum + height, 0) / this.heights.size;
    }
    const lead = this.fillGaps();
    if (this.holdsEnd) this.moveTo(view.scrollHeight - view.clientHeight);
    else this.restore(view, lead);
    this.total = view.scrollHeight;
    const drawnMore = this.cover();
    if (!drawnMore) this.tell();
  }

  /** Gives the gaps the height of what they stand for; answers with the one right above the rows in view. */
  private fillGaps(): HTMLElement | null {
    let lead: HTMLElement | null = null;
    let next = 0;
    for (const index of [...this.drawn.indexes, this.items.length]) {
      const gap = index === next ? undefined : this.gaps.get(this.keys[index] ?? "");
      if (gap) {
        gap.style.height = `${String(this.heightOf(next, index))}px`;
        if (index === this.from) lead = gap;
      }
      next = index + 1;
    }
    return lead;
  }

  private restore(view: HTMLElement, lead: HTMLElement | null): void {
    if (!this.anchor) return;
    const now = this.topOf(this.anchor.key);
    if (now === null) return;
    if (this.aim) this.anchor = { key: this.aim.key, top: this.aimedTop(view, this.aim, now) };
    const off = now - this.anchor.top;
    if (Math.abs(off) < 0.1) {
      this.reached();
      return;
    }
    // A gap is a guess: it gives what is missing, and the view need not be moved, which would end a movement of the reader's.
    const guessed = lead ? parseFloat(lead.style.height) : 0;
    if (lead && !this.aim && guessed - off > guessed / 4 && guessed - off < guessed * 4) {
      lead.style.height = `${String(guessed - off)}px`;
    } else {
      this.moveTo(view.scrollTop + off);
      // What cannot be reached, at either end, is where it is.
      const after = this.topOf(this.anchor.key);
      if (after !== null && Math.abs(after - this.anchor.top) > 1) {
        this.anchor = { key: this.anchor.key, top: after };
      }
    }
    this.reached();
    if (this.followEnd && this.toEnd(view) <= 1) this.holdsEnd = true;
  }

  /** How much there is below the view, in px. */
  private toEnd(view: HTMLElement): number {
    const rest = view.scrollHeight - view.clientHeight - view.scrollTop;
    return this.to === this.items.length ? rest : Math.max(rest, AT_END + 1);
  }

  private aimedTop(
    view: HTMLElement,
    aim: { key: string; align: "center" | "nearest" },
    now: number,
  ): number {
    const height = this.heights.get(aim.key) ?? 0;
    const room = view.clientHeight - height;
    if (aim.align === "center") return Math.max(0, room / 2);
    return Math.min(Math.max(now, 0), Math.max(0, room));
  }

  private reached(): void {
    this.aim = null;
    const arrived = this.arrived;
    this.arrived = null;
    arrived?.();
  }

  private moveTo(top: number): void {
    const view = this.view;
    if (!view) return;
    const before = view.scrollTop;
    view.scrollTop = top;
    if (view.scrollTop !== before) this.scrolledTo = view.scrollTop;
    this.before = view.scrollTop;
    if (this.holdsEnd) this.reached();
  }

  private readonly wheeled = (wheel: WheelEvent) => {
    const view = this.view;
    // Upwards lets go of the end, before the page has moved at all.
    if (wheel.deltaY < 0 && this.holdsEnd && view && view.scrollTop > 0) {
      this.holdsEnd = false;
      this.anchor = this.inView(view);
    }
  };

  private readonly scrolled = () => {
    const view = this.view;
    if (!view) return;
    if (this.scrolledTo !== null && Math.abs(view.scrollTop - this.scrolledTo) < 1) return;
    this.scrolledTo = null;
    // Rows that became lower took the view along: nobody scrolled.
    if (view.scrollHeight < this.total && view.scrollTop < this.before && this.toEnd(view) <= 1) {
      this.settle();
      return;
    }
    this.aim = null;
    const up = view.scrollTop < this.before;
    this.before = view.scrollTop;
    this.holdsEnd = this.followEnd && this.toEnd(view) <= (up ? 1 : AT_END);
    this.anchor = this.inView(view);
    if (!this.cover()) this.tell();
    this.told.onPlace?.(this.isAtEnd() ? null : this.anchor);
  };

  /** The first row that is wholly in view, or the one that fills it; by guess in a part that is not drawn. */
  private inView(view: HTMLElement): Place | null {
    const first = this.keys[this.from];
    const start = first === undefined ? null : this.topOf(first);
    if (start === null) return this.anchor;
    let covering: Place | null = null;
    let top = start;
    for (let index = this.from; index < this.to; index += 1) {
      const key = this.keys[index]!;
      if (top >= view.clientHeight) break;
      if (top >= -0.5) return { key, top };
      top += this.heightAt(index);
      if (top > 0) covering = { key, top: top - this.heightAt(index) };
    }
    if (covering) return covering;
    return start >= view.clientHeight ? this.above(start) : this.below(top);
  }

  private above(start: number): Place | null {
    const gap = this.gaps.get(this.keys[this.from] ?? "");
    const guessed = this.heightOf(0, this.from);
    const scale = gap && guessed > 0 ? gap.getBoundingClientRect().height / guessed : 1;
    let top = start;
    let index = this.from;
    while (index > 0 && top > 0) {
      index -= 1;
      top -= this.heightAt(index) * scale;
    }
    return { key: this.keys[index]!, top: index === 0 ? Math.max(top, 0) : top };
  }

  private below(end: number): Place | null {
    let top = end;
    let index = this.to;
    while (index < this.items.length - 1 && top + this.heightAt(index) < 0) {
      top += this.heightAt(index);
      index += 1;
    }
    const last = Math.min(index, this.items.length - 1);
    return { key: this.keys[last]!, top };
  }

  private isAtEnd(): boolean {
    const view = this.view;
    if (!view || this.holdsEnd) return true;
    return this.toEnd(view) <= AT_END;
  }

  private tell(): void {
    const view = this.view;
    if (!view || this.items.length === 0) return;
    const atEnd = this.isAtEnd();
    if (atEnd !== this.atEnd) {
      this.atEnd = atEnd;
      this.told.onEnd?.(atEnd);
    }
    const near = 2 * view.clientHeight;
    if (view.scrollTop < near) this.told.onNear?.("start");
    if (view.scrollHeight - view.clientHeight - view.scrollTop < near) this.told.onNear?.("end");
  }
}
