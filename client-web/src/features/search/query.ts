// What somebody types into the search field: words, and filters such as `from:` and `has:`.

import type { Carried, SearchQuery } from "../../matrix/search";

/** The filters, by what is typed before the colon. The German words stand for the same. */
const KEYS = {
  from: "from",
  von: "from",
  in: "in",
  before: "before",
  vor: "before",
  after: "after",
  nach: "after",
  has: "has",
  mit: "has",
} as const;

/** Which filter. */
export type FilterKey = "from" | "in" | "before" | "after" | "has";

/** All of them, in the order in which they are offered. */
export const filterKeys: readonly FilterKey[] = ["from", "in", "has", "before", "after"];

/** A filter that is set. `value` is a user ID, a room ID, a day (`2026-01-31`) or what is carried. */
export interface Filter {
  readonly key: FilterKey;
  readonly value: string;
}

/** What is looked for, as the field holds it. */
export interface Typed {
  readonly words: string;
  readonly filters: readonly Filter[];
}

/** What a message may carry, as it is typed. */
export const carried: readonly Carried[] = ["file", "image", "video", "audio", "link"];

/** The filter that is being typed at the end of a text. */
export interface Unfinished {
  readonly key: FilterKey;
  /** What stands after the colon. */
  readonly part: string;
  /** Where it begins. */
  readonly from: number;
}

/** The filter at the end of a text, if there is one. */
export function unfinished(text: string): Unfinished | null {
  const found = /(?:^|\s)(\p{L}+):"?([^\s:"]*(?: [^\s:"]+)?)$/u.exec(text);
  const key = found?.[1] && KEYS[found[1].toLowerCase() as keyof typeof KEYS];
  if (!found || !key) return null;
  const from = found.index + (/^\s/.test(found[0]) ? 1 : 0);
  return { key, part: found[2] ?? "", from };
}

/** A day as it is typed, or null. */
export function dayIn(text: string): string | null {
  const found = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text) ?? german(text);
  if (!found) return null;
  const [year, month, day] = found.slice(1, 4).map(Number) as [number, number, number];
  const date = new Date(year, month - 1, day);
  return date.getMonth() === month - 1 && date.getDate() === day ? dayOf(date) : null;
}

/** `31.1.2026`, in the order of the other. */
function german(text: string): readonly string[] | null {
  const found = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text);
  return found && [text, found[3]!, found[2]!, found[1]!];
}

/** A day as filters hold it. */
export function dayOf(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The moment at which a day begins here. */
export function startOf(day: string): number {
  const [year, month, date] = day.split("-").map(Number) as [number, number, number];
  return new Date(year, month - 1, date).getTime();
}

/** Adds a filter; there is one of each kind of moment, and no filter twice. */
export function withFilter(filters: readonly Filter[], added: Filter): readonly Filter[] {
  const single = added.key === "before" || added.key === "after";
  return [
    ...filters.filter((other) => !(other.key === added.key && (single || other.value === added.value))),
    added,
  ];
}

/** What the server is asked for. */
export function queryOf({ words, filters }: Typed): SearchQuery {
  const of = (key: FilterKey) => filters.filter((filter) => filter.key === key).map(({ value }) => value);
  const [after] = of("after");
  const [before] = of("before");
  // A filter that is still being typed is no word to look for.
  const open = unfinished(words);
  return {
    words: (open ? words.slice(0, open.from) : words).trim(),
    from: of("from"),
    rooms: of("in"),
    since: after ? startOf(after) : null,
    until: before ? startOf(before) : null,
    has: of("has").filter((has): has is Carried => (carried as readonly string[]).includes(has)),
  };
}

/** As one line, for the address of the page. */
export function written({ words, filters }: Typed): string {
  return [...filters.map(({ key, value }) => `${key}:${value}`), words.trim()].filter(Boolean).join(" ");
}

/** Reads such a line. */
export function read(line: string): Typed {
  const filters: Filter[] = [];
  const words: string[] = [];
  for (const part of line.split(/\s+/)) {
    const [, key, value] = /^(from|in|before|after|has):(.+)$/.exec(part) ?? [];
    const known = key as FilterKey | undefined;
    if (known && value && isValue(known, value)) filters.push({ key: known, value });
    else if (part) words.push(part);
  }
  return { words: words.join(" "), filters };
}

function isValue(key: FilterKey, value: string): boolean {
  switch (key) {
    case "from":
      return /^@[^:]+:.+/.test(value);
    case "in":
      return value.startsWith("!");
    case "has":
      return (carried as readonly string[]).includes(value);
    case "before":
    case "after":
      return dayIn(value) !== null;
  }
}
