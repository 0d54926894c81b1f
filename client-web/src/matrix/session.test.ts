import { afterEach, expect, test, vi } from "vitest";

import { authedFetch, makeClient } from "./client";
import { draftKey } from "./keptTexts";
import { forgetSession, loginWithJwt, loginWithPassword, refreshSession, restoreSession } from "./session";
import { onEndedElsewhere } from "./sessionEnd";
import { keepSession, type Session } from "./vault";

const BASE = "https://example.org";
const ada: Session = {
  baseUrl: BASE,
  userId: "@ada:example.org",
  deviceId: "ADA",
  accessToken: "a1",
  refreshToken: "r1",
};
const ben: Session = {
  ...ada,
  userId: "@ben:example.org",
  deviceId: "BEN",
  accessToken: "b1",
  refreshToken: "s1",
};

type Reply = Response | "nothing" | "never";
const json = (status: number, body: object) => new Response(JSON.stringify(body), { status });
const over = () => json(401, { errcode: "M_UNKNOWN_TOKEN", error: "expired", soft_logout: true });

/** What was asked, and what the server says to it, by the end of the path. */
function server(replies: Record<string, (body: Record<string, unknown>, token: string | null) => Reply>) {
  const asked: { path: string; body: Record<string, unknown>; token: string | null }[] = [];
  vi.stubGlobal("fetch", (input: URL, init: RequestInit = {}) => {
    const body = JSON.parse(typeof init.body === "string" ? init.body : "{}") as Record<string, unknown>;
    const token = new Headers(init.headers).get("Authorization");
    const path = input.pathname.split("/").at(-1)!;
    asked.push({ path, body, token });
    const reply = replies[path]?.(body, token) ?? json(404, {});
    if (reply === "nothing") return Promise.reject(new TypeError("Failed to fetch"));
    if (reply !== "never") return Promise.resolve(reply);
    return new Promise((_, failed) =>
      init.signal?.addEventListener("abort", () => failed(new Error("given up"))),
    );
  });
  return asked;
}

/** A token as the management system signs it; nobody here checks the last part. */
const signed = (sub: string) => `x.${btoa(JSON.stringify({ sub })).replace(/=+$/, "")}.x`;

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  await forgetSession((await restoreSession()) ?? ada);
  localStorage.clear();
});

for (const [what, reply] of [
  ["is not reached", () => "nothing"],
  ["is down behind a proxy", () => new Response("<html>Bad gateway</html>", { status: 502 })],
  ["has no time", () => json(429, { errcode: "M_LIMIT_EXCEEDED" })],
] as [string, () => Reply][])
  test(`a token that is over ends no session while the server that would give the next one ${what}`, async () => {
    await keepSession(ada);
    server({ refresh: reply, whoami: over });
    await expect(authedFetch(makeClient(ada), "/whoami")).rejects.toThrow(TypeError);
    server({ refresh: () => json(401, { errcode: "M_UNKNOWN_TOKEN" }), whoami: over });
    expect((await authedFetch(makeClient(ada), "/whoami")).status).toBe(401);
  });

test("a server that says nothing to a refresh keeps the other tabs waiting for half a minute only", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("AbortSignal", {
    timeout: (ms: number) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), ms);
      return stop.signal;
    },
  });
  await keepSession(ada);
  server({ refresh: () => "never" });
  const refused = expect(refreshSession(ada, "r1")).rejects.toMatchObject({ errcode: "OFFLINE" });
  await vi.advanceTimersByTimeAsync(30_000);
  await refused;
});

test("tokens of somebody who logged in here in another tab are not taken for one's own", async () => {
  await keepSession(ben);
  server({ refresh: () => json(200, { access_token: "a2" }) });
  await expect(refreshSession(ada, "r1")).rejects.toMatchObject({ errcode: "M_UNKNOWN_TOKEN" });
  await forgetSession(ada);
  expect(await restoreSession()).toEqual(ben);
});

test("whoever is handed over once more, or logs in in a second tab, goes on as the same device", async () => {
  await keepSession(ada);
  const answer = { user_id: ada.userId, device_id: "ADA", access_token: "a2", refresh_token: "r2" };
  const asked = server({ login: () => json(200, answer) });
  await loginWithJwt(BASE, signed("ada"), "Orvale");
  await loginWithPassword(BASE, "Ada", "secret", "Orvale");
  expect(asked.map(({ path, body }) => [path, body["device_id"]])).toEqual([
    ["login", "ADA"],
    ["login", "ADA"],
  ]);
  expect(await refreshSession(ada, "r1")).toEqual({ accessToken: "a2", refreshToken: "r2" });
});

test("a tab whose token another one is just replacing waits for the next one", async () => {
  let held = Promise.resolve<unknown>(undefined);
  const request = (_: string, act: () => Promise<unknown>) => (held = held.then(act, act));
  vi.stubGlobal("navigator", { ...navigator, locks: { request } });
  await keepSession(ada);
  let tell: (reply: Response) => void = () => undefined;
  vi.stubGlobal("fetch", () => new Promise((done) => (tell = done)));
  const login = loginWithJwt(BASE, signed("ada"), "Orvale");
  await new Promise((turn) => setTimeout(turn, 10));
  const refreshed = refreshSession(ada, "r1");
  await new Promise((turn) => setTimeout(turn, 10));
  tell(json(200, { user_id: ada.userId, device_id: "ADA", access_token: "a2", refresh_token: "r2" }));
  expect(await refreshed).toEqual({ accessToken: "a2", refreshToken: "r2" });
  await login;
});

test("somebody else who is handed over ends the session before: in its tabs, at the server, and what it left here", async () => {
  await keepSession(ada);
  localStorage.setItem(draftKey(ada.userId, "!a"), "begun");
  const ended = vi.fn();
  const stop = onEndedElsewhere(ada, ended);
  const answer = { user_id: ben.userId, device_id: "BEN", access_token: "b1", refresh_token: "s1" };
  const asked = server({ login: () => json(200, answer), logout: () => json(200, {}) });
  await loginWithJwt(BASE, signed("ben"), "Orvale");
  await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce());
  expect(asked.map(({ path, token }) => [path, token])).toEqual([
    ["login", null],
    ["logout", "Bearer a1"],
  ]);
  expect(asked[0]!.body).not.toHaveProperty("device_id");
  expect(localStorage.getItem(draftKey(ada.userId, "!a"))).toBeNull();
  expect(await restoreSession()).toEqual(ben);
  stop();
});
