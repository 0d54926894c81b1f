import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Calm } from "./Calm";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const breath = () => vi.advanceTimersByTimeAsync(0);

test("a change now and then is drawn at once, and several of one breath together", async () => {
  const draw = vi.fn();
  const calm = new Calm(draw);
  for (let nth = 1; nth <= 20; nth += 1) {
    calm.ask();
    calm.ask();
    await breath();
    expect(draw).toHaveBeenCalledTimes(nth);
    await vi.advanceTimersByTimeAsync(200);
  }
});

test("ACT-11: of fifty changes a second ten are drawn, the last of them too, and all is as before when it is over", async () => {
  const draw = vi.fn();
  const calm = new Calm(draw);
  for (let nth = 0; nth < 100; nth += 1) {
    calm.ask();
    await vi.advanceTimersByTimeAsync(20);
  }
  expect(draw.mock.calls.length).toBeGreaterThanOrEqual(18);
  expect(draw.mock.calls.length).toBeLessThanOrEqual(25);
  const before = draw.mock.calls.length;
  await vi.advanceTimersByTimeAsync(100);
  expect(draw.mock.calls.length - before).toBeLessThanOrEqual(1);
  await vi.advanceTimersByTimeAsync(1_000);
  const quiet = draw.mock.calls.length;
  calm.ask();
  await breath();
  expect(draw).toHaveBeenCalledTimes(quiet + 1);
});
