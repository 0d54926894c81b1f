import type { Colour } from "./colour";

/** The seven colours a theme is given; everything else follows from them (`roles.ts`). */
export interface Slots {
  sidebar: Colour;
  messageArea: Colour;
  inputBg: Colour;
  textPrimary: Colour;
  textSecondary: Colour;
  border: Colour;
  accent: Colour;
  /** Marks found words and mentions; follows from the accent where a theme has none. */
  highlight?: Colour;
  /** Colours of code, where a theme has its own. */
  syntax?: { keyword: Colour; string: Colour; comment: Colour };
  /** Behind selected text. */
  selection?: Colour;
  /** Around what has the focus or is raised. */
  glow?: string;
  /** Contrast of 7:1 and more, bold text, a yellow focus ring of 3 px. */
  highContrast?: boolean;
}

/** The themes with colours, in the order they are offered. */
export const themes = {
  light: {
    sidebar: "#f8f9fa",
    messageArea: "#ffffff",
    inputBg: "#ffffff",
    textPrimary: "#212529",
    textSecondary: "#6c757d",
    border: "#dee2e6",
    accent: "#007bff",
  },
  dark: {
    sidebar: "#2f3349",
    messageArea: "#36393f",
    inputBg: "#40444b",
    textPrimary: "#dcddde",
    textSecondary: "#8e9297",
    border: "#484c52",
    accent: "#7289da",
  },
  darcula: {
    sidebar: "#2b2b2b",
    messageArea: "#3c3f41",
    inputBg: "#45494a",
    textPrimary: "#a9b7c6",
    textSecondary: "#808080",
    border: "#555555",
    accent: "#cc7832",
    highlight: "#ffc66d",
    syntax: { keyword: "#cc7832", string: "#6a8759", comment: "#808080" },
    selection: "#214283",
  },
  midnight: {
    sidebar: "#0d1421",
    messageArea: "#161b22",
    inputBg: "#21262d",
    textPrimary: "#c9d1d9",
    textSecondary: "#7c8b97",
    border: "#30363d",
    accent: "#58a6ff",
    glow: "0 0 10px rgba(88, 166, 255, 0.3)",
  },
  ocean: {
    sidebar: "#0e4b5a",
    messageArea: "#1a5f6f",
    inputBg: "#237284",
    textPrimary: "#e0f2e7",
    textSecondary: "#a8c8ce",
    border: "#2d8596",
    accent: "#4fb3d9",
  },
  forest: {
    sidebar: "#1a2e1a",
    messageArea: "#2d4a2d",
    inputBg: "#3d5a3d",
    textPrimary: "#e8f5e8",
    textSecondary: "#b8d4b8",
    border: "#4d6a4d",
    accent: "#6fbf73",
  },
  sunset: {
    sidebar: "#2d1b1b",
    messageArea: "#4a2c2c",
    inputBg: "#5c3636",
    textPrimary: "#f5e8e8",
    textSecondary: "#d4b8b8",
    border: "#6a4d4d",
    accent: "#ff8c69",
  },
  high_contrast: {
    sidebar: "#000000",
    messageArea: "#ffffff",
    inputBg: "#000000",
    textPrimary: "#ffffff",
    textSecondary: "#cccccc",
    border: "#ffffff",
    accent: "#ffff00",
    highContrast: true,
  },
} satisfies Record<string, Slots>;

/** A theme with colours. */
export type PaintedTheme = keyof typeof themes;

/** What a person chooses: a theme, or to follow the system. */
export type ThemeName = "auto" | PaintedTheme;

/** All nine, in the order they are offered. */
export const themeNames = ["auto", ...(Object.keys(themes) as PaintedTheme[])] as const satisfies ThemeName[];

/** Whether a text names a theme. */
export function isThemeName(name: unknown): name is ThemeName {
  return themeNames.some((known) => known === name);
}

/** The theme that is drawn: of the two that follow the system, the one it asks for. */
export function painted(name: ThemeName, systemIsDark: boolean): PaintedTheme {
  if (name !== "auto") return name;
  return systemIsDark ? "dark" : "light";
}
