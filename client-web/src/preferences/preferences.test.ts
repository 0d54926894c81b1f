import { expect, test } from "vitest";

import example from "../../../schemas/events/com.orvale.preferences.example.json";
import schema from "../../../schemas/events/com.orvale.preferences.schema.json";
import { defaults, readPreferences, readSettings, underSettings } from "./preferences";

test("the example of the schema is read as it stands", () => {
  expect(readPreferences(example)).toEqual(example);
});

test("the schema's defaults are ours, and every choice of the schema is known", () => {
  for (const [name, property] of Object.entries(schema.properties)) {
    expect(defaults).toHaveProperty(name, property.default);
    const choices: readonly unknown[] = "enum" in property ? property.enum : [true, false];
    for (const choice of choices) expect(readPreferences({ [name]: choice })).toHaveProperty(name, choice);
  }
  expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(defaults).sort());
});

test("what nobody knows is as by default", () => {
  expect(readPreferences({ theme: "neon", font_size: "100" })).toEqual(defaults);
  expect(readPreferences("nothing")).toEqual(defaults);
});

test("the organisation decides which themes there are and whether anything sounds", () => {
  const settings = readSettings({
    available_themes: ["light", "neon", "dark"],
    default_theme: "dark",
    notification_sounds_enabled: false,
  });
  const held = underSettings({ ...defaults, theme: "ocean" }, settings);
  expect(held.theme).toBe("dark");
  expect(held.notification_sounds).toBe(false);
  expect(underSettings({ ...defaults, theme: "light" }, settings).theme).toBe("light");
});

test("without a word of the organisation everything is allowed", () => {
  expect(readSettings(null).available_themes).toHaveLength(9);
  expect(readSettings({ available_themes: [] }).available_themes).toHaveLength(9);
});
