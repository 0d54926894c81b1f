import { expect, test } from "vitest";

import { dayIn, queryOf, read, unfinished, withFilter, written } from "./query";

test("a filter being typed is known at the end of the text, in both languages", () => {
  expect(unfinished("report from:be")).toEqual({ key: "from", part: "be", from: 7 });
  expect(unfinished("von:")).toEqual({ key: "from", part: "", from: 0 });
  expect(unfinished("from:ben li")).toEqual({ key: "from", part: "ben li", from: 0 });
  expect(unfinished("see http://example.org")).toBeNull();
  expect(unfinished("at 10:30")).toBeNull();
  expect(unfinished("plain")).toBeNull();
});

test("days are read as people write them, and only days that exist", () => {
  expect(dayIn("2026-01-31")).toBe("2026-01-31");
  expect(dayIn("31.1.2026")).toBe("2026-01-31");
  expect(dayIn("2026-02-30")).toBeNull();
  expect(dayIn("soon")).toBeNull();
});

test("what is typed becomes what the server is asked for", () => {
  const filters = [
    { key: "from", value: "@ben:example.org" },
    { key: "in", value: "!room" },
    { key: "has", value: "image" },
    { key: "after", value: "2026-01-01" },
    { key: "before", value: "2026-02-01" },
  ] as const;
  expect(queryOf({ words: " red rose ", filters })).toEqual({
    words: "red rose",
    from: ["@ben:example.org"],
    rooms: ["!room"],
    since: new Date(2026, 0, 1).getTime(),
    until: new Date(2026, 1, 1).getTime(),
    has: ["image"],
  });
  expect(queryOf({ words: "rose from:be", filters: [] }).words).toBe("rose");
});

test("a search survives in the address of the page", () => {
  const typed = {
    words: "red rose",
    filters: [
      { key: "from", value: "@ben:example.org" },
      { key: "before", value: "2026-02-01" },
    ],
  } as const;
  expect(read(written(typed))).toEqual(typed);
  expect(read("from:ben has:charm x")).toEqual({ words: "from:ben has:charm x", filters: [] });
});

test("there is one before, and no filter twice", () => {
  const one = withFilter([], { key: "before", value: "2026-01-01" });
  expect(withFilter(one, { key: "before", value: "2026-02-01" })).toHaveLength(1);
  const two = withFilter(one, { key: "has", value: "file" });
  expect(withFilter(two, { key: "has", value: "file" })).toHaveLength(2);
  expect(withFilter(two, { key: "has", value: "link" })).toHaveLength(3);
});
