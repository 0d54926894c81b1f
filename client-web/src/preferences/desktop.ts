// Whether this browser shows notifications on the desktop: a choice of the browser, not of the account.

const KEY = "orvale.desktop-notifications";

/** Whether they are wanted here, and whether the browser lets us. */
export function desktopNotifications(): "on" | "off" | "denied" | "impossible" {
  if (typeof Notification === "undefined") return "impossible";
  if (Notification.permission === "denied") return "denied";
  try {
    return Notification.permission === "granted" && localStorage.getItem(KEY) !== "off" ? "on" : "off";
  } catch {
    return "off";
  }
}

/** Switches them on (which the browser may ask about) or off. */
export async function setDesktopNotifications(on: boolean): Promise<void> {
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Not remembered: as the browser's permission says.
  }
  if (on && Notification.permission === "default") await Notification.requestPermission();
}
