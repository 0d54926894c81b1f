import { expect, test } from "vitest";

import { isIgnored } from "./moderation";

test("who is ignored stands in the account's list", () => {
  expect(isIgnored({ ignored_users: { "@ben:example.org": {} } }, "@ben:example.org")).toBe(true);
  expect(isIgnored({ ignored_users: {} }, "@ben:example.org")).toBe(false);
  expect(isIgnored(null, "@ben:example.org")).toBe(false);
});
