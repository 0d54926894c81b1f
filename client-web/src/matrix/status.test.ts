import type { MatrixClient } from "matrix-js-sdk";
import { expect, test, vi } from "vitest";

import example from "../../../schemas/events/com.orvale.status.example.json";
import schema from "../../../schemas/events/com.orvale.status.schema.json";
import { loadStatus, readStatus, setStatus, shownText, STATUS, writeStatus } from "./status";

test("the example of a status is read and written as it stands", () => {
  expect(schema.title).toBe(STATUS);
  expect(writeStatus(readStatus(example))).toEqual(example);
  for (const state of schema.properties.state.enum) expect(readStatus({ state }).state).toBe(state);
});

test("an away message goes with being away, and nothing with being offline", () => {
  const all = { message: "Working on tickets", awayMessage: "Back at three" };
  expect(writeStatus({ state: "online", ...all })).toEqual({ state: "online", message: all.message });
  expect(writeStatus({ state: "offline", ...all })).toEqual({ state: "offline" });
  expect(shownText({ state: "away", ...all })).toBe("Back at three");
  expect(shownText({ state: "away", message: "Here", awayMessage: " " })).toBe("Here");
  expect(shownText({ state: "busy", ...all })).toBe("Working on tickets");
  expect(shownText({ state: "offline", ...all })).toBe("");
});

function person(answer: () => Promise<unknown>) {
  const order: string[] = [];
  const client = {
    getSafeUserId: () => "@ada:example.org",
    http: {
      authedRequest: vi.fn((method: string, path: string) => {
        order.push(`${method} ${path.split("/")[1]}`);
        return answer();
      }),
    },
    setSyncPresence: vi.fn(() => {
      order.push("sync");
      return Promise.resolve();
    }),
  };
  return { client, order, asClient: client as unknown as MatrixClient };
}

test("a status is told as presence, by every sync as well", async () => {
  const { client, order, asClient } = person(() => Promise.resolve({}));
  await setStatus(asClient, { state: "busy", message: "On a call", awayMessage: "" });
  expect(order).toEqual(["PUT profile", "sync", "PUT presence"]);
  // What goes over the wire: the SDK's call would refuse the word.
  expect(client.http.authedRequest).toHaveBeenLastCalledWith(
    "PUT",
    "/presence/%40ada%3Aexample.org/status",
    undefined,
    { presence: "org.matrix.msc3026.busy", status_msg: "On a call" },
  );
});

test("what the server refuses is told to nobody", async () => {
  const { order, asClient } = person(() => Promise.reject(new Error("too long")));
  await expect(setStatus(asClient, { state: "online", message: "x", awayMessage: "" })).rejects.toThrow();
  expect(order).toEqual(["PUT profile"]);
});

test("who was away when the page was left is away when it comes back", async () => {
  const { client, asClient } = person(() => Promise.resolve({ [STATUS]: { state: "away" } }));
  await loadStatus(asClient);
  expect(client.setSyncPresence).toHaveBeenCalledWith("unavailable");
});

test("without anything kept one is online", async () => {
  const { client, asClient } = person(() => Promise.reject(new Error("M_NOT_FOUND")));
  await loadStatus(asClient);
  expect(client.setSyncPresence).toHaveBeenCalledWith("online");
});
