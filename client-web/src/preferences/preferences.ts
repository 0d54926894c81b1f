// What a person has chosen: `com.orvale.preferences` of the account data, read leniently and written whole.

import { isThemeName, type ThemeName, themeNames } from "../theme/themes";

/** The type of the account data. */
export const PREFERENCES = "com.orvale.preferences";

/** What a person has chosen. */
export interface Preferences {
  theme: ThemeName;
  density: "comfortable" | "compact";
  /** In percent of the browser's own. */
  font_size: 90 | 100 | 112 | 125;
  /** `system` follows the system, `reduced` keeps everything still. */
  motion: "system" | "reduced";
  language: "auto" | "en" | "de";
  notification_sounds: boolean;
  timestamp_format: "relative" | "absolute";
  timestamp_position: "right" | "tooltip" | "below";
  /** What sends a message; the other one makes a new line. */
  send_key: "enter" | "ctrl_enter";
  /** Single letters act on the message that has the focus. */
  letter_shortcuts: boolean;
  /** Keys with Ctrl, Alt or a function key act here, where browsers or screen readers may have a use of their own for them. */
  shortcuts: boolean;
  /** What links lead to is shown below messages. */
  link_previews: boolean;
}

/** What holds until somebody chooses. */
export const defaults: Preferences = {
  theme: "auto",
  density: "comfortable",
  font_size: 100,
  motion: "system",
  language: "auto",
  notification_sounds: true,
  timestamp_format: "relative",
  timestamp_position: "tooltip",
  send_key: "enter",
  letter_shortcuts: true,
  shortcuts: true,
  link_previews: true,
};

type Rules = { [Key in keyof Preferences]: readonly Preferences[Key][] };

const choices: Rules = {
  theme: themeNames,
  density: ["comfortable", "compact"],
  font_size: [90, 100, 112, 125],
  motion: ["system", "reduced"],
  language: ["auto", "en", "de"],
  notification_sounds: [true, false],
  timestamp_format: ["relative", "absolute"],
  timestamp_position: ["right", "tooltip", "below"],
  send_key: ["enter", "ctrl_enter"],
  letter_shortcuts: [true, false],
  shortcuts: [true, false],
  link_previews: [true, false],
};

/** The preferences in a content; whatever is missing or unknown is as by default. */
export function readPreferences(content: unknown): Preferences {
  const given = (typeof content === "object" && content !== null ? content : {}) as Record<string, unknown>;
  const read = { ...defaults };
  const take = <Key extends keyof Preferences>(key: Key) => {
    const known = choices[key].find((choice) => choice === given[key]);
    if (known !== undefined) read[key] = known;
  };
  (Object.keys(choices) as (keyof Preferences)[]).forEach(take);
  return read;
}

/** What the organisation has decided for everybody: `com.orvale.settings`. */
export interface SystemSettings {
  notification_sounds_enabled: boolean;
  allow_custom_status: boolean;
  max_away_message_length: number;
  available_themes: ThemeName[];
  default_theme: ThemeName;
}

/** The type of the account data the server writes. */
export const SETTINGS = "com.orvale.settings";

/** The organisation's settings in a content; everything is allowed that is not decided. */
export function readSettings(content: unknown): SystemSettings {
  const given = (typeof content === "object" && content !== null ? content : {}) as Record<string, unknown>;
  const listed = Array.isArray(given.available_themes) ? given.available_themes.filter(isThemeName) : [];
  const length = given.max_away_message_length;
  return {
    notification_sounds_enabled: given.notification_sounds_enabled !== false,
    allow_custom_status: given.allow_custom_status !== false,
    max_away_message_length: typeof length === "number" && length > 0 ? length : 100,
    available_themes: listed.length > 0 ? listed : [...themeNames],
    default_theme: isThemeName(given.default_theme) ? given.default_theme : "auto",
  };
}

/** The preferences as they hold under the organisation's settings. */
export function underSettings(chosen: Preferences, settings: SystemSettings): Preferences {
  const allowed = settings.available_themes;
  const fallback = allowed.includes(settings.default_theme) ? settings.default_theme : (allowed[0] ?? "auto");
  return {
    ...chosen,
    theme: allowed.includes(chosen.theme) ? chosen.theme : fallback,
    notification_sounds: chosen.notification_sounds && settings.notification_sounds_enabled,
  };
}
