import { expect, test, vi } from "vitest";

import unhomoglyph, { whenLearned } from "./homoglyphs";

test(
  "signs of ASCII are told apart at once, all others when the table is there",
  { timeout: 30_000 },
  async () => {
    expect(unhomoglyph("Paul1")).toBe(unhomoglyph("Paull"));
    expect(unhomoglyph("Mimi")).toBe("Mirni");
    const learned = vi.fn();
    whenLearned(learned);
    // A Cyrillic а.
    expect(unhomoglyph("\u0430da")).not.toBe(unhomoglyph("ada"));
    await vi.waitFor(
      () => {
        expect(learned).toHaveBeenCalledOnce();
      },
      { timeout: 20_000 },
    );
    expect(unhomoglyph("\u0430da")).toBe(unhomoglyph("ada"));
  },
);
