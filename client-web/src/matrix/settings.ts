// The settings of one channel, as state of its room.

import {
  EventType,
  type HistoryVisibility,
  JoinRule,
  RoomStateEvent,
  Visibility,
  type MatrixClient,
  type Room,
} from "matrix-js-sdk";

import { useCallback, useMemo, useSyncExternalStore } from "react";

import { CHANNEL, ROLES, readChannel, type Posting } from "./channel";
import type { Access } from "./directory";
import { useClient } from "./MatrixProvider";
import { Snapshot } from "./signals";

/** Who sees what was said before they came. */
export type History = "invited" | "joined" | "shared" | "world_readable";

/** Everything the settings of a channel show. */
export interface ChannelSettings {
  readonly name: string;
  readonly topic: string;
  readonly avatar: string | null;
  readonly access: Access;
  /** The space whose people may come in, or to which the channel belongs. */
  readonly space: string | null;
  readonly history: History;
  readonly postLevel: number;
  readonly encrypted: boolean;
  readonly archived: boolean;
  readonly address: string | null;
  readonly addresses: readonly string[];
  readonly version: string;
}

const text = (room: Room, type: string, key: string) => {
  const value: unknown = room.currentState.getStateEvents(type, "")?.getContent()[key];
  return typeof value === "string" ? value : "";
};

function accessOf(room: Room): Access {
  switch (room.getJoinRule()) {
    case JoinRule.Public:
      return "public";
    case JoinRule.Restricted:
    case "knock_restricted" as JoinRule:
      return "space";
    case JoinRule.Knock:
      return "knock";
    default:
      return "private";
  }
}

/** Reads the settings of a room as they are. */
export function readSettings(client: MatrixClient, roomId: string): ChannelSettings | null {
  const room = client.getRoom(roomId);
  if (!room) return null;
  const levels = room.currentState.getStateEvents("m.room.power_levels", "")?.getContent();
  const post: unknown = levels?.["events_default"];
  const parent = room.currentState
    .getStateEvents(EventType.SpaceParent)
    .find((event) => Array.isArray(event.getContent()["via"]));
  const allowed = room.currentState.getStateEvents("m.room.join_rules", "")?.getContent<{
    allow?: { room_id?: string }[];
  }>().allow?.[0]?.room_id;
  const main = room.getCanonicalAlias();
  return {
    name: text(room, "m.room.name", "name"),
    topic: text(room, "m.room.topic", "topic"),
    avatar: room.getMxcAvatarUrl(),
    access: accessOf(room),
    space: allowed ?? parent?.getStateKey() ?? null,
    history: room.getHistoryVisibility() as string as History,
    postLevel: typeof post === "number" ? post : 0,
    encrypted: room.hasEncryptionStateEvent(),
    archived: readChannel(room.currentState.getStateEvents(CHANNEL, "")?.getContent()).archived,
    address: main,
    addresses: [...new Set([...(main ? [main] : []), ...room.getAltAliases()])],
    version: room.getVersion(),
  };
}

/** Gives a channel another name. */
export async function rename(client: MatrixClient, roomId: string, name: string): Promise<void> {
  await client.setRoomName(roomId, name.trim());
}

/** Says what a channel is about. */
export async function describe(client: MatrixClient, roomId: string, topic: string): Promise<void> {
  await client.setRoomTopic(roomId, topic.trim());
}

/** Uploads a picture for a room; null takes it away. */
export async function setRoomPicture(
  client: MatrixClient,
  roomId: string,
  picture: File | null,
): Promise<void> {
  const url = picture ? (await client.uploadContent(picture, { type: picture.type })).content_uri : undefined;
  await client.sendStateEvent(roomId, EventType.RoomAvatar, url ? { url } : {});
}

/** Decides who can come in, and with it whether the channel is listed for everybody. */
export async function setAccess(
  client: MatrixClient,
  roomId: string,
  access: Access,
  space: string | null,
): Promise<void> {
  const content =
    access === "space" && space
      ? { join_rule: JoinRule.Restricted, allow: [{ type: "m.room_membership", room_id: space }] }
      : {
          join_rule:
            access === "public" ? JoinRule.Public : access === "knock" ? JoinRule.Knock : JoinRule.Invite,
        };
  await client.sendStateEvent(roomId, EventType.RoomJoinRules, content as never);
  await client.setRoomDirectoryVisibility(
    roomId,
    access === "public" || access === "knock" ? Visibility.Public : Visibility.Private,
  );
  const before = client.getRoom(roomId)?.currentState.getStateEvents(CHANNEL, "")?.getContent() ?? {};
  const kind = access === "public" ? "public_channel" : "private_channel";
  if (before["kind"] !== kind)
    await client.sendStateEvent(roomId, CHANNEL as never, { ...before, kind } as never);
}

/** Decides who sees earlier messages. */
export async function setHistory(client: MatrixClient, roomId: string, history: History): Promise<void> {
  await client.sendStateEvent(roomId, EventType.RoomHistoryVisibility, {
    history_visibility: history as string as HistoryVisibility,
  });
}

async function setPostLevel(client: MatrixClient, roomId: string, level: number): Promise<void> {
  const levels = await client.getStateEvent(roomId, "m.room.power_levels", "");
  const events = { ...(levels["events"] as Record<string, number> | undefined) };
  // Reacting and taking back one's own is open to all who may read along.
  for (const open of ["m.reaction", "m.room.redaction"]) events[open] ??= ROLES.member;
  await client.sendStateEvent(roomId, EventType.RoomPowerLevels, {
    ...levels,
    events,
    events_default: level,
  });
}

/** Decides who may write. */
export async function setPosting(client: MatrixClient, roomId: string, posting: Posting): Promise<void> {
  await setPostLevel(client, roomId, ROLES[posting]);
}

/** Switches encryption on, for good. */
export async function encrypt(client: MatrixClient, roomId: string): Promise<void> {
  await client.sendStateEvent(roomId, EventType.RoomEncryption, { algorithm: "m.megolm.v1.aes-sha2" });
}

/** Closes a channel for writing and takes it out of the lists; everything said stays and can be found. */
export async function archive(client: MatrixClient, roomId: string): Promise<void> {
  const room = client.getRoom(roomId);
  const before = room?.currentState.getStateEvents(CHANNEL, "")?.getContent() ?? {};
  const level: unknown = room?.currentState.getStateEvents("m.room.power_levels", "")?.getContent()[
    "events_default"
  ];
  await client.sendStateEvent(
    roomId,
    CHANNEL as never,
    { ...before, archived: true, events_default_before: typeof level === "number" ? level : 0 } as never,
  );
  await setPostLevel(client, roomId, ROLES.owner);
  await client.setRoomDirectoryVisibility(roomId, Visibility.Private).catch(() => undefined);
}

/** Opens an archived channel again, as it was. */
export async function unarchive(client: MatrixClient, roomId: string): Promise<void> {
  const room = client.getRoom(roomId);
  const before = room?.currentState.getStateEvents(CHANNEL, "")?.getContent() ?? {};
  const { postingBefore } = readChannel(before);
  const { events_default_before: _, ...rest } = before;
  await setPostLevel(client, roomId, postingBefore ?? ROLES.member);
  await client.sendStateEvent(roomId, CHANNEL as never, { ...rest, archived: false } as never);
  if (room && accessOf(room) !== "private" && accessOf(room) !== "space")
    await client.setRoomDirectoryVisibility(roomId, Visibility.Public).catch(() => undefined);
}

/** Gives a room an address of this server. */
export async function addAddress(client: MatrixClient, roomId: string, local: string): Promise<void> {
  const address = `#${local}:${client.getDomain() ?? ""}`;
  await client.createAlias(address, roomId);
  const room = client.getRoom(roomId);
  const main = room?.getCanonicalAlias() ?? null;
  const others = room?.getAltAliases() ?? [];
  await publish(client, roomId, main ?? address, main ? [...others, address] : [...others]);
}

/** Takes an address of a room away. */
export async function removeAddress(client: MatrixClient, roomId: string, address: string): Promise<void> {
  const room = client.getRoom(roomId);
  const main = room?.getCanonicalAlias() ?? null;
  const others = (room?.getAltAliases() ?? []).filter((other) => other !== address);
  const next = main === address ? (others[0] ?? null) : main;
  await publish(
    client,
    roomId,
    next,
    others.filter((other) => other !== next),
  );
  await client.deleteAlias(address);
}

/** Makes one of a room's addresses the one it goes by. */
export async function setMainAddress(client: MatrixClient, roomId: string, address: string): Promise<void> {
  const room = client.getRoom(roomId);
  const main = room?.getCanonicalAlias() ?? null;
  const others = new Set([...(room?.getAltAliases() ?? []), ...(main ? [main] : [])]);
  others.delete(address);
  await publish(client, roomId, address, [...others]);
}

async function publish(
  client: MatrixClient,
  roomId: string,
  main: string | null,
  others: readonly string[],
): Promise<void> {
  await client.sendStateEvent(roomId, EventType.RoomCanonicalAlias, {
    ...(main ? { alias: main } : {}),
    ...(others.length > 0 ? { alt_aliases: [...others] } : {}),
  });
}

/** The room version this server would make rooms with, if a room is older than that. */
export async function newerVersion(client: MatrixClient, version: string): Promise<string | null> {
  const capabilities = await client.getCapabilities();
  const best = capabilities["m.room_versions"]?.default;
  return best !== undefined && best !== version && Number(best) > Number(version) ? best : null;
}

/** Lets a room go on in a newer version; answers with the new room. */
export async function upgrade(client: MatrixClient, roomId: string, version: string): Promise<string> {
  return (await client.upgradeRoom(roomId, version)).replacement_room;
}

const sameSettings = (a: ChannelSettings | null, b: ChannelSettings | null) =>
  a === b || (a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b));

/** The settings of a room, fresh on each change. */
export function useRoomSettings(roomId: string): ChannelSettings | null {
  const client = useClient();
  const settings = useMemo(
    () => new Snapshot(() => readSettings(client, roomId), sameSettings),
    [client, roomId],
  );
  const subscribe = useCallback(
    (listener: () => void) => {
      const room = client.getRoom(roomId);
      room?.currentState.on(RoomStateEvent.Update, listener);
      return () => room?.currentState.off(RoomStateEvent.Update, listener);
    },
    [client, roomId],
  );
  return useSyncExternalStore(subscribe, settings.get);
}
