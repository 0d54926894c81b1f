import { expect, test } from "vitest";

import example from "../../../../schemas/events/com.orvale.do_not_disturb.example.json";
import schema from "../../../../schemas/events/com.orvale.do_not_disturb.schema.json";
import { isQuiet, never, type Quiet, readQuiet } from "./quiet";

const at = (hours: number, minutes = 0) => new Date(2026, 5, 1, hours, minutes);
const nightly = (from: string, to: string): Quiet => ({ until: 0, schedule: { enabled: true, from, to } });

test("the example of the schema is read as it stands, and its defaults are ours", () => {
  expect(readQuiet(example)).toEqual(example);
  const { until, schedule } = schema.properties;
  expect(never.until).toBe(until.default);
  for (const [name, { default: value }] of Object.entries(schedule.properties))
    expect(never.schedule).toHaveProperty(name, value);
});

test("a night goes over midnight and ends in the morning", () => {
  const night = nightly("22:00", "07:00");
  expect([21, 22, 23, 0, 6, 7, 12].map((hour) => isQuiet(night, at(hour)))).toEqual([
    false,
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  const lunch = nightly("12:30", "13:00");
  expect([at(12, 29), at(12, 30), at(12, 59), at(13)].map((now) => isQuiet(lunch, now))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test("a while ends by itself", () => {
  const snoozed = { ...never, until: at(15).getTime() };
  expect(isQuiet(snoozed, at(14, 59))).toBe(true);
  expect(isQuiet(snoozed, at(15))).toBe(false);
});

test("what nobody understands disturbs as before", () => {
  expect(readQuiet({ until: "later", schedule: { enabled: 1, from: "25:00", to: "7" } })).toEqual(never);
  expect(readQuiet(null)).toEqual(never);
});
