import { type Colour, contrast, fromOklch, isDark, mix, toOklch } from "./colour";
import { readable } from "./readable";
import type { Slots } from "./themes";

/** Which contrast a text needs, and what is not text: icons, borders of inputs, marks, the focus ring. */
export function limits(highContrast: boolean | undefined) {
  return { text: highContrast ? 7 : 4.5, shape: 3 };
}

/** Colours by what they are for. Components name these and never a colour. */
export interface Roles {
  dark: boolean;
  /** What things stand on. */
  surface: {
    sidebar: Colour;
    messages: Colour;
    input: Colour;
    /** Menus, dialogs, tooltips. */
    raised: Colour;
    /** Under the pointer: in the sidebar, among messages. */
    sidebarHover: Colour;
    hover: Colour;
    /** The open room; a chosen entry. */
    selected: Colour;
    /** A message that mentions the reader, a found word. */
    mention: Colour;
    /** Behind code and quotes. */
    code: Colour;
    /** Behind selected text. */
    selection: Colour;
  };
  text: {
    primary: Colour;
    secondary: Colour;
    /** Links, names, chosen things. */
    accent: Colour;
    danger: Colour;
    success: Colour;
    warning: Colour;
  };
  /** Filled buttons and badges, and what is written on them. */
  fill: { accent: Colour; onAccent: Colour; danger: Colour; onDanger: Colour };
  border: {
    /** Between areas: seen, but not needed to understand. */
    subtle: Colour;
    /** Around what can be filled in or pressed. */
    control: Colour;
  };
  focus: Colour;
  presence: { online: Colour; away: Colour; busy: Colour; offline: Colour };
  /** Behind the first letters of those who have no picture, with what is written on it. */
  avatar: { fills: Colour[]; ink: Colour };
  syntax: { keyword: Colour; string: Colour; comment: Colour; number: Colour; name: Colour };
}

/** How many colours there are for people without a picture. */
const AVATARS = 16;

/** All roles of a theme, from the seven colours it is given. */
export function rolesOf(slots: Slots): Roles {
  const limit = limits(slots.highContrast);
  // A surface on which the theme's own text cannot be read takes the sidebar's colour.
  const legible = (surface: Colour) => (contrast(slots.textPrimary, surface) >= 3 ? surface : slots.sidebar);
  const sidebar = slots.sidebar;
  const messages = legible(slots.messageArea);
  const input = legible(slots.inputBg);
  const dark = isDark(messages);
  const tint = (under: Colour, share: number) => mix(slots.textPrimary, under, share);
  const accented = (under: Colour, share: number) => mix(slots.accent, under, share);
  const strong = slots.highContrast ? 0.22 : 1;
  const surface = {
    sidebar,
    messages,
    input,
    raised: slots.highContrast ? sidebar : dark ? tint(messages, 0.05) : messages,
    sidebarHover: tint(sidebar, 0.06),
    hover: tint(messages, 0.04),
    selected: accented(sidebar, 0.16 * strong + (slots.highContrast ? 0.12 : 0)),
    mention: mix(slots.highlight ?? slots.accent, messages, dark ? 0.12 : 0.09),
    code: slots.highContrast
      ? sidebar
      : mix(dark ? "#000000" : slots.textPrimary, messages, dark ? 0.14 : 0.045),
  };
  const all = Object.values(surface);
  const text = (colour: Colour) => readable(colour, all, limit.text);
  const primary = text(slots.textPrimary);
  const danger = slots.highContrast ? "#ff9d9d" : dark ? "#ff8a80" : "#c62828";
  const success = slots.highContrast ? "#7dff9b" : dark ? "#6fd08c" : "#1b7a3d";
  const warning = slots.highContrast ? "#ffd000" : dark ? "#f2c14e" : "#8a5a00";
  const shape = (colour: Colour) => readable(colour, all, limit.shape);
  const accentFill = filled(slots.accent, limit.text);
  const dangerFill = filled(dark ? "#e5484d" : "#d32f2f", limit.text);
  const selection = readableSurface(slots.selection ?? accented(messages, 0.35), primary, limit.text);
  return {
    dark,
    surface: { ...surface, selection },
    text: {
      primary,
      secondary: text(slots.textSecondary),
      accent: text(slots.accent),
      danger: text(danger),
      success: text(success),
      warning: text(warning),
    },
    fill: {
      accent: accentFill.colour,
      onAccent: accentFill.ink,
      danger: dangerFill.colour,
      onDanger: dangerFill.ink,
    },
    border: { subtle: slots.border, control: shape(slots.border) },
    focus: slots.highContrast ? "#ffff00" : shape(slots.accent),
    presence: {
      online: shape(dark ? "#3fd07a" : "#1f9d55"),
      away: shape(dark ? "#f2c14e" : "#b7791f"),
      busy: shape(dark ? "#ff7070" : "#d32f2f"),
      offline: shape(slots.textSecondary),
    },
    avatar: avatars(dark, limit.text),
    syntax: {
      keyword: text(slots.syntax?.keyword ?? slots.accent),
      string: text(slots.syntax?.string ?? success),
      comment: text(slots.syntax?.comment ?? slots.textSecondary),
      number: text(warning),
      name: text(dark ? "#c8a6ff" : "#6f42c1"),
    },
  };
}

/** A colour to fill a button with, and what is written on it: white if a small step makes it readable, else a dark ink. */
function filled(colour: Colour, wanted: number): { colour: Colour; ink: Colour } {
  const white = readable(colour, ["#ffffff"], wanted);
  if (Math.abs(toOklch(white).l - toOklch(colour).l) <= 0.09) return { colour: white, ink: "#ffffff" };
  return { colour: readable(colour, ["#101418"], wanted), ink: "#101418" };
}

/** A surface moved away from what is written on it until that can be read. */
function readableSurface(surface: Colour, ink: Colour, wanted: number): Colour {
  return readable(surface, [ink], wanted);
}

function avatars(dark: boolean, wanted: number): Roles["avatar"] {
  const ink: Colour = dark ? "#101418" : "#ffffff";
  // Neighbours on the circle of hues differ in lightness as well.
  const fills = Array.from({ length: AVATARS }, (_, place) => {
    const l = (dark ? 0.76 : 0.5) + (place % 2 === 0 ? 0.06 : -0.06);
    return readable(fromOklch({ l, c: 0.115, h: (2 * Math.PI * (place + 0.8)) / AVATARS }), [ink], wanted);
  });
  return { fills, ink };
}

/** Two colours that meet on the screen, and the contrast they need. */
export interface Pair {
  name: string;
  front: Colour;
  back: Colour;
  wanted: number;
}

/** Every pair of a theme that meets on the screen. */
export function pairsOf(roles: Roles, highContrast?: boolean): Pair[] {
  const limit = limits(highContrast);
  const { selection, ...surfaces } = roles.surface;
  const pairs: Pair[] = [
    { name: "primary on selection", front: roles.text.primary, back: selection, wanted: limit.text },
  ];
  const against = (name: string, front: Colour, wanted: number) => {
    for (const [on, back] of Object.entries(surfaces))
      pairs.push({ name: `${name} on ${on}`, front, back, wanted });
  };
  for (const [name, front] of Object.entries(roles.text)) against(name, front, limit.text);
  for (const [name, front] of Object.entries(roles.syntax)) against(name, front, limit.text);
  for (const [name, front] of Object.entries(roles.presence)) against(name, front, limit.shape);
  against("control border", roles.border.control, limit.shape);
  against("focus ring", roles.focus, limit.shape);
  const { fill, avatar } = roles;
  pairs.push({ name: "on accent", front: fill.onAccent, back: fill.accent, wanted: limit.text });
  pairs.push({ name: "on danger", front: fill.onDanger, back: fill.danger, wanted: limit.text });
  for (const back of avatar.fills)
    pairs.push({ name: "on avatar", front: avatar.ink, back, wanted: limit.text });
  return pairs;
}
