import { expect, test } from "vitest";

import example from "../../../schemas/events/com.orvale.permissions.example.json";
import { permits } from "./permissions";

test("a permission that the server did not speak of is not hidden", () => {
  expect(permits(null, "chat.create_channels")).toBe(true);
  expect(permits({ permissions: ["chat.create_direct"] }, "chat.create_channels")).toBe(false);
  expect(permits({ permissions: ["chat.create_channels"] }, "chat.create_channels")).toBe(true);
  expect(example.permissions.filter((name) => !permits(example, name))).toEqual([]);
  expect(permits(example, "chat.create_channels")).toBe(false);
  expect(permits({}, "chat.create_channels")).toBe(true);
});
