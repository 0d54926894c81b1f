import { Filter } from "matrix-js-sdk";
import { expect, test, vi } from "vitest";

import { World } from "../testing/world";
import { askAhead } from "./askAhead";

test("the push rules are asked for once and at once; the filter is said, not looked for", async () => {
  const { client } = new World();
  const asked = vi.spyOn(client.http, "authedRequest").mockResolvedValue({ global: {} });
  askAhead(client);
  expect(asked).toHaveBeenCalledTimes(1);
  await client.getPushRules();
  const filter = new Filter("@ada:example.org");
  filter.setTimelineLimit(20);
  expect(JSON.parse(await client.getOrCreateFilter("FILTER", filter))).toEqual(filter.getDefinition());
  expect(asked).toHaveBeenCalledTimes(1);
});

test("push rules that did not come are asked for again", async () => {
  const { client } = new World();
  const asked = vi.spyOn(client.http, "authedRequest").mockRejectedValueOnce(new Error("offline"));
  askAhead(client);
  await expect(client.getPushRules()).rejects.toThrow("offline");
  asked.mockResolvedValue({ global: {} });
  expect(await client.getPushRules()).toMatchObject({ global: {} });
  expect(asked).toHaveBeenCalledTimes(2);
});
