// Times as people read them.

import { useSyncExternalStore } from "react";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The language as the browser's person reads and writes it: whoever asks for British English has a day of 24 hours. */
export function regional(language: string, wished: readonly string[] = navigator.languages): string {
  return wished.find((tag) => tag.startsWith(`${language}-`)) ?? language;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${name}`;
  let known = formats.get(key);
  if (!known) {
    known = new Intl.DateTimeFormat(regional(language), options);
    formats.set(key, known);
  }
  return known;
}

/** "2:15 PM". */
export function clock(time: number, language: string): string {
  return format(language, "clock", { hour: "numeric", minute: "2-digit" }).format(time);
}

/** "2:15 PM" today, "Aug 24, 2:15 PM" before, with the year when it is another. */
export function absolute(time: number, language: string, now = Date.now()): string {
  const then = new Date(time);
  const today = new Date(now);
  if (then.toDateString() === today.toDateString()) return clock(time, language);
  const year = then.getFullYear() !== today.getFullYear();
  return format(language, year ? "dated-year" : "dated", {
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    ...(year ? { year: "numeric" } : {}),
  }).format(time);
}

/** The whole of it, for tooltips. */
export function complete(time: number, language: string): string {
  return format(language, "complete", { dateStyle: "full", timeStyle: "short" }).format(time);
}

const relatives = new Map<string, Intl.RelativeTimeFormat>();

/** "2 min. ago", "1 hr. ago", and the date after a week. */
export function relative(time: number, language: string, justNow: string, now = Date.now()): string {
  const passed = now - time;
  if (passed < MINUTE) return justNow;
  if (passed >= 7 * DAY) return absolute(time, language, now);
  let known = relatives.get(language);
  if (!known) {
    // The narrow forms of German cannot be told from metres.
    const style = language === "de" ? "short" : "narrow";
    known = new Intl.RelativeTimeFormat(regional(language), { style, numeric: "auto" });
    relatives.set(language, known);
  }
  if (passed < HOUR) return known.format(-Math.floor(passed / MINUTE), "minute");
  if (passed < DAY) return known.format(-Math.floor(passed / HOUR), "hour");
  return known.format(-Math.floor(passed / DAY), "day");
}

/** "Today", "Yesterday", "Monday, August 24". */
export function dayName(
  day: number,
  language: string,
  words: { today: string; yesterday: string },
  now = Date.now(),
): string {
  const today = new Date(now);
  today.setHours(0, 0, 0, 0);
  const days = Math.round((today.getTime() - day) / DAY);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  const sameYear = new Date(day).getFullYear() === today.getFullYear();
  return format(language, sameYear ? "day" : "day-year", {
    weekday: "long",
    month: "long",
    day: "numeric",
    ...(sameYear ? {} : { year: "numeric" }),
  }).format(day);
}

const listeners = new Set<() => void>();
let minute = Math.floor(Date.now() / MINUTE);
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    minute = Math.floor(Date.now() / MINUTE);
    for (const each of listeners) each();
  }, MINUTE / 2);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Draws again when a minute has passed: for the small parts that show a relative time. */
export function useMinute(): number {
  return useSyncExternalStore(subscribe, () => minute);
}
