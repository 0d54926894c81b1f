/**
 * Colours as people see them: contrast as WCAG counts it, lightness as OKLCH does.
 *
 * OKLCH is used because a step of its lightness looks equally large in every hue: a colour made readable there stays recognisably
 * the colour it was.
 */

/** `#rrggbb`. */
export type Colour = `#${string}`;

type Triple = readonly [number, number, number];

function channels(colour: Colour): Triple {
  const number = Number.parseInt(colour.slice(1), 16);
  return [(number >> 16) / 255, ((number >> 8) & 255) / 255, (number & 255) / 255];
}

function fromChannels(rgb: Triple): Colour {
  const hex = rgb.map((channel) =>
    Math.round(clamp(channel) * 255)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));
const linear = (channel: number) =>
  channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
const encoded = (channel: number) =>
  channel <= 0.0031308 ? channel * 12.92 : 1.055 * Math.max(0, channel) ** (1 / 2.4) - 0.055;

/** Relative luminance, 0 for black to 1 for white. */
export function luminance(colour: Colour): number {
  const [r, g, b] = channels(colour).map(linear) as unknown as Triple;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The contrast of two colours, 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Lightness 0 to 1, chroma, hue in radians. */
export interface Oklch {
  l: number;
  c: number;
  h: number;
}

/** The colour in OKLCH. */
export function toOklch(colour: Colour): Oklch {
  const [r, g, b] = channels(colour).map(linear) as unknown as Triple;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const lightness = 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
  const a = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const bb = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  return { l: lightness, c: Math.hypot(a, bb), h: Math.atan2(bb, a) };
}

function toLinear({ l, c, h }: Oklch): Triple {
  const [a, b] = [c * Math.cos(h), c * Math.sin(h)];
  const ll = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * ll - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * ll + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * ll - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The colour of sRGB for an OKLCH one; where sRGB has none so strong, the strongest of the same hue and lightness. */
export function fromOklch(colour: Oklch): Colour {
  let { c } = colour;
  const fits = (rgb: Triple) => rgb.every((channel) => channel >= -0.0005 && channel <= 1.0005);
  while (c > 0 && !fits(toLinear({ ...colour, c }))) c = Math.max(0, c - 0.004);
  return fromChannels(toLinear({ ...colour, c }).map(encoded) as unknown as Triple);
}

/** `share` of one colour over the other, as a transparent layer would look. */
export function mix(over: Colour, under: Colour, share: number): Colour {
  const [a, b] = [channels(over), channels(under)];
  return fromChannels(
    a.map((channel, at) => channel * share + (b[at] ?? 0) * (1 - share)) as unknown as Triple,
  );
}

/** Whether white is easier to read on it than black. */
export function isDark(colour: Colour): boolean {
  return contrast(colour, "#ffffff") >= contrast(colour, "#000000");
}
