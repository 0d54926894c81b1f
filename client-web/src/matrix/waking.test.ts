import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { fetchAwake, onWaking } from "./waking";

const MINUTE = 60_000;

/** The clock goes on, and nothing is run. */
function sleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

/** Answers as a connection does that is gone: not at all, until nobody waits any more. */
function never(_input: unknown, init?: RequestInit): Promise<Response> {
  return new Promise((_, failed) => {
    init?.signal?.addEventListener("abort", () => failed(new DOMException("aborted", "AbortError")));
  });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("who slept is told soon after waking, who was merely hidden is not", () => {
  const woken = vi.fn();
  const stop = onWaking(woken);
  vi.advanceTimersByTime(10 * MINUTE);
  sleep(MINUTE);
  vi.advanceTimersByTime(2_000);
  expect(woken).not.toHaveBeenCalled();
  sleep(10 * MINUTE);
  vi.advanceTimersByTime(2_000);
  expect(woken).toHaveBeenCalledTimes(1);
  sleep(10 * MINUTE);
  document.dispatchEvent(new Event("resume"));
  expect(woken).toHaveBeenCalledTimes(2);
  stop();
  sleep(10 * MINUTE);
  vi.advanceTimersByTime(MINUTE);
  expect(woken).toHaveBeenCalledTimes(2);
  expect(vi.getTimerCount()).toBe(0);
});

test("what was asked before sleeping is asked again", async () => {
  const asked = vi.fn().mockImplementationOnce(never).mockResolvedValueOnce(new Response("news"));
  vi.stubGlobal("fetch", asked);
  const answer = fetchAwake("/sync");
  sleep(10 * MINUTE);
  vi.advanceTimersByTime(2_000);
  expect(await (await answer).text()).toBe("news");
  expect(asked).toHaveBeenCalledTimes(2);
});

test("what is called off, or fails, is not asked again; also where signals cannot be joined", async () => {
  vi.stubGlobal("AbortSignal", class extends AbortSignal {});
  Object.defineProperty(AbortSignal, "any", { value: undefined });
  const asked = vi.fn(never);
  vi.stubGlobal("fetch", asked);
  const caller = new AbortController();
  const answer = fetchAwake("/sync", { signal: caller.signal });
  caller.abort();
  await expect(answer).rejects.toThrow("aborted");
  asked.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  await expect(fetchAwake("/sync")).rejects.toThrow("Failed to fetch");
  expect(asked).toHaveBeenCalledTimes(2);
});
