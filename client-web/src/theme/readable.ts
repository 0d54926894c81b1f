import { type Colour, contrast, fromOklch, toOklch } from "./colour";

const STEP = 0.005;

/** The smallest contrast of a colour with any of these surfaces. */
export function worst(colour: Colour, surfaces: readonly Colour[]): number {
  return Math.min(...surfaces.map((surface) => contrast(colour, surface)));
}

/**
 * The rule that corrects a colour: it keeps hue and strength, and its lightness moves by the smallest step, lighter or darker, that
 * gives the wanted contrast with every surface it is drawn on.
 *
 * Where no lightness does, the best of black and white is taken; `pairs.test.ts` sees to it that no theme gets so far.
 */
export function readable(colour: Colour, surfaces: readonly Colour[], wanted: number): Colour {
  if (worst(colour, surfaces) >= wanted) return colour;
  const { l, c, h } = toOklch(colour);
  for (let step = STEP; step <= 1; step += STEP) {
    for (const lightness of [l + step, l - step]) {
      if (lightness < 0 || lightness > 1) continue;
      const candidate = fromOklch({ l: lightness, c, h });
      if (worst(candidate, surfaces) >= wanted) return candidate;
    }
  }
  return worst("#ffffff", surfaces) >= worst("#000000", surfaces) ? "#ffffff" : "#000000";
}
