// Oneself: name and picture, and the devices one is logged in with.

import { UserEvent, type IMyDevice, type MatrixClient } from "matrix-js-sdk";
import { useCallback, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";

/** A name to show and a picture, as an address of the media repository. */
export interface OwnProfile {
  readonly name: string;
  /** `mxc://…`, or null. */
  readonly picture: string | null;
}

const known = new WeakMap<MatrixClient, OwnProfile>();

function read(client: MatrixClient): OwnProfile {
  const user = client.getUser(client.getSafeUserId());
  // Who has no name yet is called by the user id in the SDK; the part people know is enough here.
  const called = user?.displayName === user?.userId ? undefined : user?.displayName;
  const name = called ?? client.getUserIdLocalpart() ?? client.getSafeUserId();
  const picture = user?.avatarUrl ?? null;
  const before = known.get(client);
  if (before && before.name === name && before.picture === picture) return before;
  const fresh = { name, picture };
  known.set(client, fresh);
  return fresh;
}

/** One's own name and picture. */
export function useOwnProfile(): OwnProfile {
  const client = useClient();
  const subscribe = useCallback(
    (listener: () => void) => {
      const changed = (_event: unknown, user: { userId: string }) => {
        if (user.userId === client.getUserId()) listener();
      };
      const events = [UserEvent.DisplayName, UserEvent.AvatarUrl, UserEvent.Presence] as const;
      for (const event of events) client.on(event, changed);
      return () => {
        for (const event of events) client.off(event, changed);
      };
    },
    [client],
  );
  return useSyncExternalStore(subscribe, () => read(client));
}

/** Asks the server for one's own profile: sync tells of it only together with presence. */
export async function loadOwnProfile(client: MatrixClient): Promise<void> {
  const userId = client.getSafeUserId();
  const told = await client.getProfileInfo(userId);
  const user = client.getUser(userId);
  if (!user) return;
  if (told.displayname) user.setDisplayName(told.displayname);
  user.setAvatarUrl(told.avatar_url ?? "");
  for (const event of [UserEvent.DisplayName, UserEvent.AvatarUrl] as const)
    user.emit(event, undefined, user);
}

/** Changes one's own name. */
export async function setName(client: MatrixClient, name: string): Promise<void> {
  await client.setDisplayName(name);
  await loadOwnProfile(client);
}

/** Uploads a picture and makes it one's own; null takes it away. */
export async function setPicture(client: MatrixClient, picture: File | null): Promise<void> {
  const address = picture ? (await client.uploadContent(picture, { type: picture.type })).content_uri : "";
  await client.setAvatarUrl(address);
  await loadOwnProfile(client);
}

/** A device one is logged in with. */
export interface Device {
  readonly id: string;
  readonly name: string;
  readonly lastSeen: number | null;
  readonly address: string | null;
  /** The one this page is. */
  readonly current: boolean;
}

/** All devices, this one first, then as they were last seen. */
export async function listDevices(client: MatrixClient): Promise<readonly Device[]> {
  const own = client.getDeviceId();
  const { devices } = await client.getDevices();
  const view = (device: IMyDevice): Device => ({
    id: device.device_id,
    name: device.display_name ?? device.device_id,
    lastSeen: device.last_seen_ts ?? null,
    address: device.last_seen_ip ?? null,
    current: device.device_id === own,
  });
  return devices
    .map(view)
    .sort((a, b) => Number(b.current) - Number(a.current) || (b.lastSeen ?? 0) - (a.lastSeen ?? 0));
}

/** Gives a device another name. */
export async function renameDevice(client: MatrixClient, id: string, name: string): Promise<void> {
  await client.setDeviceDetails(id, { display_name: name });
}

/** Logs devices out; the server wants the password again. */
export async function logOutDevices(
  client: MatrixClient,
  ids: readonly string[],
  password: string,
): Promise<void> {
  const identifier = { type: "m.id.user", user: client.getSafeUserId() };
  const ask = (session?: string) =>
    client.deleteMultipleDevices([...ids], {
      type: "m.login.password",
      identifier,
      password,
      ...(session && { session }),
    });
  try {
    await ask();
  } catch (refused) {
    // The first answer names the session in which the password counts.
    const { httpStatus, data } = refused as {
      httpStatus?: number;
      data?: { session?: string; errcode?: string };
    };
    if (httpStatus !== 401 || !data?.session || data.errcode) throw refused;
    await ask(data.session);
  }
}

/** Silences everything, or no longer. */
export async function setMuted(client: MatrixClient, muted: boolean): Promise<void> {
  await client.setPushRuleEnabled("global", "override" as never, ".m.rule.master", muted);
}

/** Whether the account's push rules silence everything. */
export function isMuted(rules: object | null): boolean {
  const global = (rules as { global?: { override?: { rule_id: string; enabled: boolean }[] } } | null)
    ?.global;
  return global?.override?.some((rule) => rule.rule_id === ".m.rule.master" && rule.enabled) ?? false;
}
