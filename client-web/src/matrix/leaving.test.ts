import { expect, test, vi } from "vitest";

import { whileHere } from "./leaving";

test("what is lost because the page is being left is told to nobody, unless somebody comes back", async () => {
  const told = vi.fn();
  dispatchEvent(new Event("pagehide"));
  const lost = whileHere(Promise.reject(new Error("aborted"))).catch(told);
  await new Promise((done) => setTimeout(done, 10));
  expect(told).not.toHaveBeenCalled();
  dispatchEvent(new Event("pageshow"));
  await lost;
  expect(told).toHaveBeenCalledOnce();
  await expect(whileHere(Promise.reject(new Error("no connection")))).rejects.toThrow("no connection");
});
