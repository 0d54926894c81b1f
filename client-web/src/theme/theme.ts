import { createTheme, type Theme } from "@mui/material/styles";

import type { Direction } from "../i18n/direction";
import { componentsFor } from "./components";
import { type Roles, rolesOf } from "./roles";
import { type PaintedTheme, type Slots, themes } from "./themes";

/** How much fits on the screen. */
export type Density = "comfortable" | "compact";

/** Lengths that follow the density, in pixels at normal font size. */
export interface Measures {
  /** Height of a row in the sidebar. */
  row: number;
  /** Picture beside a message. */
  avatar: number;
  /** Between two messages of different people. */
  messageGap: number;
  /** Bars on top and bottom. */
  bar: number;
}

const measures: Record<Density, Measures> = {
  comfortable: { row: 34, avatar: 36, messageGap: 14, bar: 56 },
  compact: { row: 28, avatar: 24, messageGap: 6, bar: 48 },
};

declare module "@mui/material/styles" {
  interface Palette {
    surface: Roles["surface"];
    accentText: string;
    dangerText: string;
    border: Roles["border"];
    focus: string;
    presence: Roles["presence"];
    syntax: Roles["syntax"];
    avatarInk: string;
  }
  interface PaletteOptions extends Partial<
    Pick<
      Palette,
      "surface" | "accentText" | "dangerText" | "border" | "focus" | "presence" | "syntax" | "avatarInk"
    >
  > {
    avatarFills?: string[];
  }
  interface Theme {
    measures: Measures;
    density: Density;
    /** Behind the first letters of people without a picture; chosen by their id. */
    avatarFills: string[];
    highContrast: boolean;
  }
  interface ThemeOptions extends Partial<
    Pick<Theme, "measures" | "density" | "avatarFills" | "highContrast">
  > {
    themeOptionsOfOrvale?: never;
  }
}

const made = new Map<string, Theme>();

/** The Material UI theme of a name, a density and a direction; the same object each time. */
export function themeFor(
  name: PaintedTheme,
  density: Density = "comfortable",
  direction: Direction = "ltr",
): Theme {
  const key = `${name} ${density} ${direction}`;
  const known = made.get(key);
  if (known) return known;
  const theme = make(themes[name], density, direction);
  made.set(key, theme);
  return theme;
}

function make(slots: Slots, density: Density, direction: Direction): Theme {
  const roles = rolesOf(slots);
  const highContrast = slots.highContrast ?? false;
  const { surface, text, fill, border, presence } = roles;
  const state = (colour: string) => ({ main: colour, light: colour, dark: colour });
  return createTheme({
    direction,
    cssVariables: { cssVarPrefix: "o" },
    spacing: density === "compact" ? 7 : 8,
    shape: { borderRadius: 8 },
    measures: measures[density],
    density,
    highContrast,
    avatarFills: roles.avatar.fills,
    palette: {
      mode: roles.dark ? "dark" : "light",
      tonalOffset: 0.06,
      primary: { main: fill.accent, contrastText: fill.onAccent },
      secondary: { main: fill.accent, contrastText: fill.onAccent },
      error: { ...state(text.danger), contrastText: surface.raised },
      warning: { ...state(text.warning), contrastText: surface.raised },
      success: { ...state(text.success), contrastText: surface.raised },
      info: { ...state(text.accent), contrastText: surface.raised },
      text: { primary: text.primary, secondary: text.secondary, disabled: text.secondary },
      background: { default: surface.messages, paper: surface.raised },
      divider: border.subtle,
      action: { active: text.secondary, hover: surface.hover, selected: surface.selected },
      surface,
      accentText: text.accent,
      dangerText: text.danger,
      border,
      focus: roles.focus,
      presence,
      syntax: roles.syntax,
      avatarInk: roles.avatar.ink,
    },
    typography: {
      fontFamily:
        '"Inter Variable", Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
      fontWeightRegular: highContrast ? 700 : 400,
      fontWeightMedium: highContrast ? 700 : 550,
      fontWeightBold: highContrast ? 800 : 650,
      h1: { fontSize: "1.5rem", fontWeight: 650, letterSpacing: "-0.015em", lineHeight: 1.25 },
      h2: { fontSize: "1.0625rem", fontWeight: 650, letterSpacing: "-0.01em", lineHeight: 1.3 },
      h3: { fontSize: "0.9375rem", fontWeight: 650, lineHeight: 1.35 },
      body1: { fontSize: "0.9375rem", lineHeight: 1.47 },
      body2: { fontSize: "0.8125rem", lineHeight: 1.45 },
      caption: { fontSize: "0.75rem", lineHeight: 1.4 },
      overline: {
        fontSize: "0.75rem",
        fontWeight: 600,
        letterSpacing: "0.01em",
        textTransform: "none",
        lineHeight: 1.6,
      },
      button: { fontSize: "0.875rem", fontWeight: highContrast ? 700 : 550, textTransform: "none" },
    },
    components: componentsFor(roles, { glow: slots.glow, highContrast }),
  });
}
