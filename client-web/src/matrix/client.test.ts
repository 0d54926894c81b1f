import { expect, test } from "vitest";

import { firstMessages } from "./client";

test("LOAD-08: the more rooms, the fewer messages of each come first", () => {
  expect(firstMessages(0)).toBe(20);
  expect(firstMessages(40)).toBe(20);
  expect(firstMessages(500)).toBe(8);
  expect(firstMessages(3_000)).toBe(3);
});
