import { expect, test, vi } from "vitest";

import { unlessOver } from "./unlessOver";

test("who asked is told what came of it", async () => {
  const tell = vi.fn();
  const refuse = vi.fn();
  unlessOver(Promise.resolve("found"), tell, refuse);
  unlessOver(Promise.reject(new Error("refused")), tell, refuse);
  unlessOver(Promise.reject(new Error("nobody minds")), tell);
  await Promise.resolve();
  expect(tell.mock.calls).toEqual([["found"]]);
  expect(refuse.mock.calls).toEqual([[new Error("refused")]]);
});

test("who is gone by then is told nothing", async () => {
  const tell = vi.fn();
  const refuse = vi.fn();
  unlessOver(Promise.resolve("found"), tell, refuse)();
  unlessOver(Promise.reject(new Error("refused")), tell, refuse)();
  await Promise.resolve();
  expect(tell).not.toHaveBeenCalled();
  expect(refuse).not.toHaveBeenCalled();
});
