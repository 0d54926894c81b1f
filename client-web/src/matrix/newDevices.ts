// Which devices of the account somebody has seen in this browser, to tell a new login from an old one.

import type { Device } from "./profile";

const key = (userId: string) => `orvale.devices:${userId}`;

/** The devices seen before; null if nobody has looked yet. */
export function knowsDevices(userId: string): readonly string[] | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(userId)) ?? "null");
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === "string") : null;
  } catch {
    return null;
  }
}

/** These are known from now on. */
export function rememberDevices(userId: string, devices: readonly Device[]): void {
  try {
    localStorage.setItem(key(userId), JSON.stringify(devices.map(({ id }) => id)));
  } catch {
    // Without storage every login is as new as this one.
  }
}
