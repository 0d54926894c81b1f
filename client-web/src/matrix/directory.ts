// Finding and making conversations: with a person, by an address, out of the public ones.

import {
  EventType,
  JoinRule,
  KnownMembership,
  Preset,
  RoomType,
  Visibility,
  type ICreateRoomOpts,
  type MatrixClient,
} from "matrix-js-sdk";
import { useCallback } from "react";

import { alert } from "../components/Announcer";
import { CHANNEL, channelLevels, groupLevels, type Posting } from "./channel";
import { useClient } from "./MatrixProvider";
import { askOrvale, errcodeOf, reasonOf } from "./requests";
import { listDirect } from "./roomActions";

/** The direct message with somebody, if there is one. */
export function findDirect(client: MatrixClient, userId: string): string | null {
  const listed =
    client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>()[userId] ?? [];
  return listed.find((roomId) => client.getRoom(roomId)?.getMyMembership() === "join") ?? null;
}

/** Opens the direct message with somebody, or makes it. Of two who begin at once, both get the same one. */
export async function openDirect(client: MatrixClient, userId: string): Promise<string> {
  const known = findDirect(client, userId);
  if (known) return known;
  if (userId.endsWith(`:${client.getDomain() ?? ""}`)) {
    try {
      const path = `/direct/${encodeURIComponent(userId)}`;
      return (await askOrvale<{ room_id: string }>(client, "POST", path, {})).room_id;
    } catch (error) {
      // Another homeserver than Orvale does not know the question.
      if (errcodeOf(error) !== "M_UNRECOGNIZED") throw error;
    }
  }
  const { room_id: roomId } = await client.createRoom({
    is_direct: true,
    invite: [userId],
    preset: Preset.TrustedPrivateChat,
    visibility: Visibility.Private,
  });
  await listDirect(client, userId, roomId);
  return roomId;
}

/** Makes a group of people; it has no name of its own. */
export async function createGroup(client: MatrixClient, userIds: readonly string[]): Promise<string> {
  const { room_id: roomId } = await client.createRoom({
    invite: [...userIds],
    // Not the trusted preset: with it nobody could ever be removed from the rooms of newer versions.
    preset: Preset.PrivateChat,
    visibility: Visibility.Private,
    power_level_content_override: groupLevels(),
    initial_state: [{ type: CHANNEL, state_key: "", content: { kind: "group" } }],
  });
  return roomId;
}

/** Who can come into a channel: everybody, everybody of a space, who asked and was let in, who was invited. */
export type Access = "public" | "space" | "knock" | "private";

/** A channel to be made. */
export interface NewChannel {
  readonly name: string;
  readonly topic: string;
  /** The local part of its address, or none. */
  readonly address: string | null;
  readonly access: Access;
  readonly posting: Posting;
  readonly encrypted: boolean;
  /** The space it belongs to, if any. */
  readonly space: string | null;
}

/** A name as the local part of an address. */
export function addressFor(name: string): string {
  return name
    .toLocaleLowerCase()
    .replace(/ß/g, "ss")
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
}

/** What the room of a channel starts with. Pure. */
export function channelRoom(channel: NewChannel): ICreateRoomOpts {
  const open = channel.access === "public";
  const state: NonNullable<ICreateRoomOpts["initial_state"]> = [
    {
      type: CHANNEL,
      state_key: "",
      content: { kind: open ? "public_channel" : "private_channel" },
    },
  ];
  if (channel.access === "space" && channel.space) {
    const allow = [{ type: "m.room_membership", room_id: channel.space }];
    state.push({
      type: EventType.RoomJoinRules,
      state_key: "",
      content: { join_rule: JoinRule.Restricted, allow },
    });
  }
  if (channel.access === "knock")
    state.push({ type: EventType.RoomJoinRules, state_key: "", content: { join_rule: JoinRule.Knock } });
  if (channel.space) {
    const via = [channel.space.includes(":") ? channel.space.slice(channel.space.indexOf(":") + 1) : ""];
    state.push({
      type: EventType.SpaceParent,
      state_key: channel.space,
      content: { via: via.filter(Boolean), canonical: true },
    });
  }
  if (channel.encrypted)
    state.push({
      type: EventType.RoomEncryption,
      state_key: "",
      content: { algorithm: "m.megolm.v1.aes-sha2" },
    });
  return {
    name: channel.name.trim(),
    ...(channel.topic.trim() ? { topic: channel.topic.trim() } : {}),
    ...(channel.address ? { room_alias_name: channel.address } : {}),
    preset: open ? Preset.PublicChat : Preset.PrivateChat,
    // Who may ask to be let in has to find it first.
    visibility: open || channel.access === "knock" ? Visibility.Public : Visibility.Private,
    power_level_content_override: channelLevels(channel.posting),
    initial_state: state,
  };
}

/** Makes a channel, in its space where it has one. */
export async function createChannel(client: MatrixClient, channel: NewChannel): Promise<string> {
  const { room_id: roomId } = await client.createRoom(channelRoom(channel));
  if (channel.space) {
    const via = [client.getDomain() ?? ""];
    await client.sendStateEvent(channel.space, EventType.SpaceChild, { via, suggested: true }, roomId);
  }
  return roomId;
}

/** Whether an address is still free. */
export async function isAddressFree(client: MatrixClient, local: string): Promise<boolean> {
  try {
    await client.getRoomIdForAlias(`#${local}:${client.getDomain() ?? ""}`);
    return false;
  } catch (error) {
    if (errcodeOf(error) === "M_NOT_FOUND") return true;
    throw error;
  }
}

/** A space this person is in. */
export interface Space {
  readonly roomId: string;
  readonly name: string;
  /** Whether this person may put rooms into it. */
  readonly mayAdd: boolean;
}

/** The spaces this person is in, those they may add to first. */
export function spacesOf(client: MatrixClient): readonly Space[] {
  const me = client.getSafeUserId();
  return client
    .getRooms()
    .filter(
      (room) =>
        room.getType() === RoomType.Space && room.getMyMembership() === (KnownMembership.Join as string),
    )
    .map((room) => ({
      roomId: room.roomId,
      name: room.name,
      mayAdd: room.currentState.maySendStateEvent(EventType.SpaceChild, me),
    }))
    .sort((a, b) => Number(b.mayAdd) - Number(a.mayAdd) || a.name.localeCompare(b.name));
}

/** How one stands to a room one may not be in. */
export type Standing = "join" | "invite" | "knock" | "ban" | "leave";

/** A channel that can be found. */
export interface ListedChannel {
  readonly roomId: string;
  readonly name: string;
  readonly topic: string;
  readonly address: string;
  readonly avatar: string | null;
  readonly people: number;
  readonly joinRule: string;
  readonly standing: Standing;
}

/** A page of channels, and where the next one begins. */
export interface ChannelPage {
  readonly channels: readonly ListedChannel[];
  readonly next: string | null;
}

/** How this person stands to a room. */
export function standingIn(client: MatrixClient, roomId: string): Standing {
  const membership = client.getRoom(roomId)?.getMyMembership() ?? "leave";
  return ["join", "invite", "knock", "ban"].includes(membership) ? (membership as Standing) : "leave";
}

interface Found {
  room_id: string;
  name?: string;
  topic?: string;
  canonical_alias?: string;
  avatar_url?: string;
  num_joined_members: number;
  join_rule?: string;
  room_type?: string;
  /** How the server sees this person stand to it; sync may not have told yet. */
  membership?: string;
}

function listed(client: MatrixClient, room: Found): ListedChannel {
  return {
    roomId: room.room_id,
    name: room.name ?? room.canonical_alias?.slice(1).split(":")[0] ?? room.room_id,
    topic: room.topic ?? "",
    address: room.canonical_alias ?? "",
    avatar: room.avatar_url ?? null,
    people: room.num_joined_members,
    joinRule: room.join_rule ?? "public",
    standing: room.membership === "join" ? "join" : standingIn(client, room.room_id),
  };
}

const PAGE = 30;

/** How many spaces are looked through for channels that are not listed for everybody. */
const SPACES = 3;

/**
 * A page of all channels (those of this person's spaces first, then those listed for everybody), or of those in one space; by a part
 * of their name or description.
 */
export async function findChannels(
  client: MatrixClient,
  { term, space, from }: { term: string; space: string | null; from: string | null },
): Promise<ChannelPage> {
  const wanted = term.trim();
  if (space === null) {
    const answer = await client.publicRooms({
      limit: PAGE,
      ...(from ? { since: from } : {}),
      ...(wanted ? { filter: { generic_search_term: wanted } } : {}),
    });
    const open = answer.chunk
      .filter((room) => room.room_type !== RoomType.Space)
      .map((room) => listed(client, room));
    // Later pages follow the public list alone.
    const own = from ? [] : await channelsOfSpaces(client, wanted);
    const known = new Set(own.map((channel) => channel.roomId));
    return {
      channels: [...own, ...open.filter((channel) => !known.has(channel.roomId))],
      next: answer.next_batch ?? null,
    };
  }
  const answer = await client.getRoomHierarchy(space, PAGE, 1, false, from ?? undefined);
  const lower = wanted.toLocaleLowerCase();
  return {
    channels: answer.rooms
      .filter((room) => room.room_type !== RoomType.Space)
      .map((room) => listed(client, room))
      .filter((room) => `${room.name} ${room.topic} ${room.address}`.toLocaleLowerCase().includes(lower)),
    next: answer.next_batch ?? null,
  };
}

async function channelsOfSpaces(client: MatrixClient, term: string): Promise<readonly ListedChannel[]> {
  const spaces = spacesOf(client).slice(0, SPACES);
  const pages = await Promise.all(
    spaces.map(({ roomId }) =>
      findChannels(client, { term, space: roomId, from: null }).catch((): ChannelPage => ({
        channels: [],
        next: null,
      })),
    ),
  );
  const found = new Map(
    pages.flatMap(({ channels }) => channels).map((channel) => [channel.roomId, channel] as const),
  );
  return [...found.values()];
}

/** What can be known of a room from outside, or null if it is not there (for this person). */
export async function lookAt(client: MatrixClient, idOrAddress: string): Promise<ListedChannel | null> {
  try {
    const room = await client.getRoomSummary(idOrAddress);
    return listed(client, room);
  } catch (error) {
    const code = errcodeOf(error);
    if (code === "M_NOT_FOUND" || code === "M_FORBIDDEN" || code === "M_UNRECOGNIZED") return null;
    throw error;
  }
}

/** Asks to be let into a room. */
export async function askToJoin(client: MatrixClient, roomId: string, reason: string): Promise<void> {
  await client.knockRoom(roomId, reason.trim() ? { reason: reason.trim() } : {});
}

/** Opens what a message names: a person, a room by id or alias. */
export function useOpenMatrix(
  openRoom: (roomId: string, eventId: string | null) => void,
  openPerson: (userId: string) => void,
): (id: string, eventId: string | null) => void {
  const client = useClient();
  return useCallback(
    (id, eventId) => {
      if (id.startsWith("@")) {
        openPerson(id);
        return;
      }
      const find = async (): Promise<string> => {
        if (id.startsWith("!")) return id;
        const known = client
          .getRooms()
          .find((room) => room.getCanonicalAlias() === id || room.getAltAliases().includes(id));
        return known?.roomId ?? (await client.getRoomIdForAlias(id)).room_id;
      };
      find().then(
        (roomId) => openRoom(roomId, eventId),
        (error: unknown) => alert(reasonOf(error)),
      );
    },
    [client, openRoom, openPerson],
  );
}
