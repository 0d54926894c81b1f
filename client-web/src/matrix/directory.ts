// Finding and making conversations: with a person, by an address, out of the public ones.

import { EventType, Preset, Visibility, type MatrixClient } from "matrix-js-sdk";
import { useCallback } from "react";

import { alert } from "../components/Announcer";
import { useClient } from "./MatrixProvider";

/** The direct message with somebody, if there is one. */
export function findDirect(client: MatrixClient, userId: string): string | null {
  const listed =
    client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>()[userId] ?? [];
  return listed.find((roomId) => client.getRoom(roomId)?.getMyMembership() === "join") ?? null;
}

/** Opens the direct message with somebody, or makes it. */
export async function openDirect(client: MatrixClient, userId: string): Promise<string> {
  const known = findDirect(client, userId);
  if (known) return known;
  const { room_id: roomId } = await client.createRoom({
    is_direct: true,
    invite: [userId],
    preset: Preset.TrustedPrivateChat,
    visibility: Visibility.Private,
  });
  const direct = client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>() ?? {};
  await client.setAccountData(EventType.Direct, {
    ...direct,
    [userId]: [...new Set([...(direct[userId] ?? []), roomId])],
  });
  return roomId;
}

/** Makes a group of people; it has no name of its own. */
export async function createGroup(client: MatrixClient, userIds: readonly string[]): Promise<string> {
  const { room_id: roomId } = await client.createRoom({
    invite: [...userIds],
    preset: Preset.TrustedPrivateChat,
    visibility: Visibility.Private,
    initial_state: [{ type: "com.orvale.channel", state_key: "", content: { kind: "group" } }],
  });
  return roomId;
}

/** A channel that can be found. */
export interface ListedChannel {
  readonly roomId: string;
  readonly name: string;
  readonly topic: string;
  readonly people: number;
  readonly joined: boolean;
}

/** The public channels, by a part of their name. */
export async function findChannels(client: MatrixClient, term: string): Promise<readonly ListedChannel[]> {
  const answer = await client.publicRooms({
    limit: 50,
    ...(term.trim() ? { filter: { generic_search_term: term.trim() } } : {}),
  });
  return answer.chunk.map((room) => ({
    roomId: room.room_id,
    name: room.name ?? room.canonical_alias ?? room.room_id,
    topic: room.topic ?? "",
    people: room.num_joined_members,
    joined: client.getRoom(room.room_id)?.getMyMembership() === "join",
  }));
}

/** Makes a channel. */
export async function createChannel(
  client: MatrixClient,
  channel: { name: string; topic: string; open: boolean },
): Promise<string> {
  const local = channel.name
    .toLocaleLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const { room_id: roomId } = await client.createRoom({
    name: channel.name,
    ...(channel.topic ? { topic: channel.topic } : {}),
    ...(channel.open && local ? { room_alias_name: local } : {}),
    preset: channel.open ? Preset.PublicChat : Preset.PrivateChat,
    visibility: channel.open ? Visibility.Public : Visibility.Private,
    initial_state: [
      {
        type: "com.orvale.channel",
        state_key: "",
        content: { kind: channel.open ? "public_channel" : "private_channel" },
      },
    ],
  });
  return roomId;
}

/** Opens what a message names: a person's direct message, a room by id or alias. */
export function useOpenMatrix(
  openRoom: (roomId: string, eventId: string | null) => void,
): (id: string, eventId: string | null) => void {
  const client = useClient();
  return useCallback(
    (id, eventId) => {
      const find = async (): Promise<string> => {
        if (id.startsWith("@")) return openDirect(client, id);
        if (id.startsWith("!")) return id;
        const known = client
          .getRooms()
          .find((room) => room.getCanonicalAlias() === id || room.getAltAliases().includes(id));
        return known?.roomId ?? (await client.getRoomIdForAlias(id)).room_id;
      };
      if (id === client.getUserId()) return;
      find().then(
        (roomId) => openRoom(roomId, eventId),
        (error: unknown) => alert(error instanceof Error ? error.message : String(error)),
      );
    },
    [client, openRoom],
  );
}
