// What the list holds: the rows, and between them the lines of days and of the unread part. A line is an item of its own, so that
// the message below it keeps its height when what is read above makes it the first of its day, or no longer that. Pure.

import type { Row } from "../../matrix/timeline";

/** A line between messages. */
export interface Line {
  readonly kind: "beginning" | "day" | "unread" | "replies";
  readonly key: string;
  readonly day: number;
}

/** One item of the list. */
export type Item = Row | Line;

/** Rows with their lines, in a thread one below its root; an item keeps its identity while it says the same. */
export function withLines(
  rows: readonly Row[],
  beginning: boolean,
  before: readonly Item[],
  root: string | null = null,
): readonly Item[] {
  const known = new Map<string, Line>();
  for (const item of before) if (isLine(item)) known.set(item.key, item);
  const line = (kind: Line["kind"], key: string, day = 0): Line => {
    const old = known.get(key);
    return old?.day === day ? old : { kind, key, day };
  };
  const items: Item[] = beginning ? [line("beginning", "beginning")] : [];
  for (const row of rows) {
    if (row.day !== null) items.push(line("day", `day ${String(row.day)} ${row.key}`, row.day));
    if (row.unread) items.push(line("unread", "unread"));
    items.push(row);
    if (root !== null && rows.length > 1 && row.event.getId() === root)
      items.push(line("replies", "replies"));
  }
  return items;
}

/** Whether an item is a line and no row. */
export function isLine(item: Item): item is Line {
  return item.kind !== "message" && item.kind !== "state";
}

/** An item's key in the list. */
export function keyOfItem(item: Item): string {
  return item.key;
}
