import { expect, test } from "vitest";

import { neighbour } from "./neighbour";

const rooms = {
  getSections: () => ({ invites: ["i"], direct: ["a", "b"], channels: ["c"], groups: [] }),
  getSummary: (roomId: string) => ({ unread: roomId === "c" ? 1 : 0, fresh: false }) as never,
};

test("the next conversation follows the order of the list, round its ends", () => {
  expect(neighbour(rooms, "a", 1, false)).toBe("b");
  expect(neighbour(rooms, "a", -1, false)).toBe("c");
  expect(neighbour(rooms, undefined, 1, false)).toBe("a");
  expect(neighbour(rooms, undefined, -1, false)).toBe("c");
});

test("the next unread conversation passes over those that are read", () => {
  expect(neighbour(rooms, "a", 1, true)).toBe("c");
  expect(neighbour(rooms, "c", 1, true)).toBeUndefined();
});
