// Do not disturb: for a while, or each night. `com.orvale.do_not_disturb` of the account data, so that it holds on every device.

/** The type of the account data. */
export const QUIET = "com.orvale.do_not_disturb";

/** When somebody wants to be left alone. */
export interface Quiet {
  /** Until then, in ms since the epoch; 0 for not now. */
  readonly until: number;
  /** Each day between two times of the clock where the person is. */
  readonly schedule: { readonly enabled: boolean; readonly from: string; readonly to: string };
}

/** What holds until somebody chooses. */
export const never: Quiet = { until: 0, schedule: { enabled: false, from: "22:00", to: "07:00" } };

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;

/** Reads a content leniently. */
export function readQuiet(content: unknown): Quiet {
  const given = (typeof content === "object" && content !== null ? content : {}) as Record<string, unknown>;
  const schedule = (
    typeof given["schedule"] === "object" && given["schedule"] !== null ? given["schedule"] : {}
  ) as Record<string, unknown>;
  const clock = (value: unknown, otherwise: string) =>
    typeof value === "string" && CLOCK.test(value) ? value : otherwise;
  const { until } = given;
  return {
    until: typeof until === "number" && Number.isFinite(until) && until > 0 ? until : 0,
    schedule: {
      enabled: schedule["enabled"] === true,
      from: clock(schedule["from"], never.schedule.from),
      to: clock(schedule["to"], never.schedule.to),
    },
  };
}

function minutes(clock: string): number {
  const [hours, rest] = clock.split(":").map(Number);
  return (hours ?? 0) * 60 + (rest ?? 0);
}

/** Whether it is quiet at a moment. */
export function isQuiet({ until, schedule }: Quiet, now: Date): boolean {
  if (now.getTime() < until) return true;
  if (!schedule.enabled) return false;
  const at = now.getHours() * 60 + now.getMinutes();
  const [from, to] = [minutes(schedule.from), minutes(schedule.to)];
  // A night goes over midnight.
  return from <= to ? at >= from && at < to : at >= from || at < to;
}
