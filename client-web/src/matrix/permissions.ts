// What the organisation lets this person do, apart from single rooms.

import { useAccountData } from "./accountData";

/** The account data the server writes it to. */
export const PERMISSIONS = "com.orvale.permissions";

/** Whether a list of permissions holds one. Where the server gave none, nothing is hidden: it decides when it is asked. */
export function permits(content: object | null, permission: string): boolean {
  const granted = (content as { permissions?: unknown } | null)?.permissions;
  return !Array.isArray(granted) || granted.includes(permission);
}

/** Whether this person has a permission, for instance `chat.create_channels`. */
export function usePermission(permission: string): boolean {
  return permits(useAccountData(PERMISSIONS), permission);
}
