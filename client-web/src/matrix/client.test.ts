import { User } from "matrix-js-sdk";
import { expect, test, vi } from "vitest";

import { World } from "../testing/world";
import { authedFetch, clearClient, firstMessages, makeClient, saveWhenHidden, startClient } from "./client";
import { storageTrouble } from "./storageTrouble";

test("what the last visit knew of oneself is still known when the client has started", async () => {
  const { client, me } = new World();
  vi.spyOn(client.store, "startup").mockImplementation(() => {
    const own = new User(me);
    own.presence = "busy";
    client.store.storeUser(own);
    return Promise.resolve();
  });
  vi.spyOn(client.store, "getSavedSyncToken").mockResolvedValue("s1");
  vi.spyOn(client, "startClient").mockImplementation(() => {
    client.store.storeUser(new User(me));
    return Promise.resolve();
  });
  vi.spyOn(client.http, "authedRequest").mockResolvedValue({ versions: [] });
  await startClient(client);
  expect(client.getUser(me)?.presence).toBe("busy");
});

test("a store that does not open keeps nobody waiting: the visit does without", async () => {
  vi.useFakeTimers();
  const { client } = new World();
  const before = client.store;
  vi.spyOn(before, "startup").mockReturnValue(new Promise(() => undefined));
  vi.spyOn(client.http, "authedRequest").mockResolvedValue({ versions: [], joined_rooms: [] });
  const start = vi.spyOn(client, "startClient").mockResolvedValue();
  const started = startClient(client);
  await vi.advanceTimersByTimeAsync(10_000);
  await started;
  expect(start).toHaveBeenCalledOnce();
  expect(client.store).not.toBe(before);
  expect(storageTrouble()).toBe(true);
  vi.useRealTimers();
});

test("who logs out does not wait for a store that something still holds open", async () => {
  vi.useFakeTimers();
  const { client } = new World();
  vi.spyOn(client, "clearStores").mockReturnValue(new Promise(() => undefined));
  let out = false;
  void clearClient(client).then(() => (out = true));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(out).toBe(true);
  vi.useRealTimers();
});

test("LOAD-08: on a first visit the rooms are counted before their messages are asked for, and the page does not wait for those", async () => {
  const { client } = new World();
  vi.spyOn(client.store, "startup").mockResolvedValue();
  // So the SDK's store answers that holds nothing.
  vi.spyOn(client.store, "getSavedSyncToken").mockResolvedValue(undefined as never);
  vi.spyOn(client, "getJoinedRooms").mockResolvedValue({ joined_rooms: Array<string>(3_000).fill("!a") });
  vi.spyOn(client.http, "authedRequest").mockResolvedValue({ versions: [] });
  const start = vi.spyOn(client, "startClient").mockResolvedValue();
  expect(await startClient(client)).toBe(false);
  expect(start).toHaveBeenCalledWith(expect.objectContaining({ initialSyncLimit: 3 }));
});

test("LOAD-08: the more rooms, the fewer messages of each come first", () => {
  expect(firstMessages(0)).toBe(20);
  expect(firstMessages(40)).toBe(20);
  expect(firstMessages(500)).toBe(8);
  expect(firstMessages(3_000)).toBe(3);
});

test("a page that is put aside writes what is known once, until the server tells more", () => {
  const { client } = new World();
  const save = vi.spyOn(client.store, "save").mockResolvedValue();
  const hidden = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  const stop = saveWhenHidden(client);
  client.store.setSyncToken("s1");
  document.dispatchEvent(new Event("visibilitychange"));
  window.dispatchEvent(new Event("pagehide"));
  expect(save).toHaveBeenCalledOnce();
  client.store.setSyncToken("s2");
  document.dispatchEvent(new Event("visibilitychange"));
  expect(save).toHaveBeenCalledTimes(2);
  stop();
  hidden.mockRestore();
  window.dispatchEvent(new Event("pageshow"));
});

test("an answer to what somebody wrote is waited for for a minute, to anything else as the browser does", async () => {
  const late = new AbortController();
  const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(late.signal);
  vi.stubGlobal("fetch", (_: unknown, init?: RequestInit) => {
    if (!init?.signal) return Promise.resolve(new Response("{}"));
    return new Promise((_done, failed) =>
      init.signal?.addEventListener("abort", () => failed(new Error("late"))),
    );
  });
  const client = makeClient({
    baseUrl: "https://example.org",
    userId: "@ada:example.org",
    deviceId: "A",
    accessToken: "a token",
  });
  const room = "/_matrix/client/v3/rooms/!a";
  expect((await authedFetch(client, `${room}/state/m.room.name/`, { method: "PUT" })).ok).toBe(true);
  expect(timeout).not.toHaveBeenCalled();
  const sent = authedFetch(client, `${room}/send/m.room.message/1`, { method: "PUT" });
  late.abort();
  await expect(sent).rejects.toThrow("late");
  expect(timeout).toHaveBeenCalledWith(60_000);
  vi.unstubAllGlobals();
  timeout.mockRestore();
});
