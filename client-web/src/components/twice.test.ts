import { expect, test, vi } from "vitest";

import { twice } from "./twice";

test("RES-08: what could not be loaded is tried once more, and no more", async () => {
  const flaky = vi.fn().mockRejectedValueOnce(new TypeError("gone")).mockResolvedValue("here");
  expect(await twice(flaky, 0)).toBe("here");
  const gone = vi.fn().mockRejectedValue(new TypeError("gone"));
  await expect(twice(gone, 0)).rejects.toThrow("gone");
  expect(gone).toHaveBeenCalledTimes(2);
});
