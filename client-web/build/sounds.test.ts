import { expect, test } from "vitest";

import { wav } from "./sounds.ts";

test("a sound is a short WAV file that is loud and does not clip, and ends in silence", () => {
  const file = wav([{ at: 0, hertz: 440, fade: 0.1, loud: 0.6 }]);
  expect(file.toString("latin1", 0, 4) + file.toString("latin1", 8, 12)).toBe("RIFFWAVE");
  expect(file.readUInt32LE(40)).toBe(file.length - 44);
  const samples = Array.from({ length: (file.length - 44) / 2 }, (_, index) =>
    file.readInt16LE(44 + index * 2),
  );
  expect(samples.length / 22_050).toBeLessThan(1);
  const loudest = Math.max(...samples.map(Math.abs));
  expect(loudest).toBeGreaterThan(10_000);
  expect(loudest).toBeLessThan(32_000);
  expect(Math.abs(samples.at(-1) ?? 1)).toBeLessThan(100);
});
