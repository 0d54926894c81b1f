import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { learnServerTime, serverNow } from "./serverTime";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const HERE = Date.parse("2026-03-01T12:00:00Z");

/** Answers of a server whose clock goes before this one's by so much, each some time after the one before. */
function hear(ahead: number, pauses: readonly number[], way = 20): void {
  for (const pause of pauses) {
    vi.advanceTimersByTime(pause);
    const asked = Date.now();
    const date = new Date(Math.floor((asked + way / 2 + ahead) / 1000) * 1000);
    learnServerTime(asked, asked + way, date.toUTCString());
  }
}

const PAUSES = Array.from({ length: 40 }, (_, nth) => 137 + ((nth * 61) % 400));

test("whole seconds, told often, say what the server's clock says to a few hundredths", () => {
  vi.setSystemTime(HERE);
  hear(7_300, PAUSES);
  expect(Math.abs(serverNow() - Date.now() - 7_300)).toBeLessThanOrEqual(60);
});

test("what is known never becomes less sure, and an answer that took long does no harm", () => {
  vi.setSystemTime(HERE);
  hear(-2_450, PAUSES);
  const known = serverNow() - Date.now();
  hear(-2_450, [10], 30_000);
  expect(serverNow() - Date.now()).toBeCloseTo(known, 0);
});

test("a clock that is set is noticed", () => {
  vi.setSystemTime(HERE);
  hear(0, PAUSES);
  hear(3_600_000, [100]);
  expect(Math.abs(serverNow() - Date.now() - 3_600_000)).toBeLessThanOrEqual(520);
});
