import { expect, test } from "vitest";

import type { Row } from "../../matrix/timeline";
import { withLines } from "./lines";

const row = (key: string, day: number | null, unread = false) =>
  ({ key, kind: "message", day, unread, event: { getId: () => key } }) as unknown as Row;

test("a day and the unread part begin with a line above their first message, which stays the same item", () => {
  const b = row("b", 2, true);
  const before = withLines([b], false, []);
  expect(before.map((item) => item.kind)).toEqual(["day", "unread", "message"]);
  const after = withLines([row("a", 1), b], true, before);
  expect(after.map((item) => item.kind)).toEqual(["beginning", "day", "message", "day", "unread", "message"]);
  expect(after.slice(3)).toEqual(before);
  for (const [at, item] of before.entries()) expect(after[at + 3]).toBe(item);
});

test("in a thread a line stands between the root and its replies", () => {
  const kinds = (rows: Row[]) => withLines(rows, false, [], "root").map((item) => item.kind);
  expect(kinds([row("root", 1), row("a", null), row("b", null)])).toEqual([
    "day",
    "message",
    "replies",
    "message",
    "message",
  ]);
  expect(kinds([row("root", 1)])).toEqual(["day", "message"]);
  expect(kinds([row("a", 1)])).toEqual(["day", "message"]);
});
