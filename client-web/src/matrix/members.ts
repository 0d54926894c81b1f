// The people of a room.

import {
  KnownMembership,
  RoomMemberEvent,
  RoomStateEvent,
  type MatrixClient,
  type RoomState,
} from "matrix-js-sdk";
import { useEffect, useMemo, useSyncExternalStore } from "react";

import { useClient } from "./MatrixProvider";
import { sameShape } from "./signals";

/** One person of a room. */
export interface Member {
  readonly userId: string;
  readonly name: string;
  readonly avatar: string | null;
  readonly power: number;
  readonly invited: boolean;
  /** In the room, asked into it, asking to be let in, or kept out. */
  readonly standing: "join" | "invite" | "knock" | "ban";
  /** What they or whoever acted said with it. */
  readonly reason: string;
}

const NOBODY: readonly Member[] = [];

/** One for all: making one for each comparison is what takes the time. */
const byName = new Intl.Collator();

const isStanding = (membership: string | undefined) =>
  membership === (KnownMembership.Join as string) ||
  membership === (KnownMembership.Invite as string) ||
  membership === (KnownMembership.Knock as string) ||
  membership === (KnownMembership.Ban as string);

const isHere = (member: Member) => member.standing === "join" || member.standing === "invite";

class MemberStore {
  private readonly listeners = new Set<() => void>();
  private readonly client: MatrixClient;
  private readonly roomId: string;
  private members: readonly Member[] = NOBODY;
  private stale = true;
  private scheduled = false;

  constructor(client: MatrixClient, roomId: string) {
    this.client = client;
    this.roomId = roomId;
    const changed = (_event: unknown, state: RoomState) => {
      if (state.roomId === roomId) this.touch();
    };
    client.on(RoomStateEvent.Members, changed);
    client.on(RoomStateEvent.NewMember, changed);
    client.on(RoomMemberEvent.PowerLevel, (_event, member) => {
      if (member.roomId === roomId) this.touch();
    });
  }

  private touch(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // Loading thousands of members announces each of them.
    setTimeout(() => {
      this.scheduled = false;
      this.stale = true;
      for (const listener of [...this.listeners]) listener();
    }, 0);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): readonly Member[] => {
    if (!this.stale) return this.members;
    this.stale = false;
    const before = new Map(this.members.map((member) => [member.userId, member]));
    const room = this.client.getRoom(this.roomId);
    const next = (room?.getMembers() ?? [])
      .filter((member) => isStanding(member.membership))
      .map((member): Member => {
        const said: unknown = member.events.member?.getContent()["reason"];
        const fresh: Member = {
          userId: member.userId,
          name: member.name,
          avatar: member.getMxcAvatarUrl() ?? null,
          power: member.powerLevel,
          invited: member.membership === KnownMembership.Invite,
          standing: member.membership as Member["standing"],
          reason: typeof said === "string" ? said : "",
        };
        const known = before.get(member.userId);
        return known && sameShape(known, fresh) ? known : fresh;
      })
      .sort((a, b) => b.power - a.power || byName.compare(a.name, b.name));
    const same =
      next.length === this.members.length && next.every((member, index) => member === this.members[index]);
    if (!same) this.members = next;
    return this.members;
  };

  readonly find = (userId: string): Member | undefined =>
    this.get().find((member) => member.userId === userId);
}

const stores = new WeakMap<MatrixClient, Map<string, MemberStore>>();

function memberStore(client: MatrixClient, roomId: string): MemberStore {
  let rooms = stores.get(client);
  if (!rooms) {
    rooms = new Map();
    stores.set(client, rooms);
  }
  let known = rooms.get(roomId);
  if (!known) {
    known = new MemberStore(client, roomId);
    rooms.set(roomId, known);
  }
  return known;
}

/**
 * The joined and invited people of a room, the powerful first; all of them are fetched on first use. Nobody for no room: who need not
 * know them yet asks for none, as they may be thousands.
 */
export function useMembers(roomId: string | null): readonly Member[] {
  const everybody = useEverybody(roomId);
  return useMemo(() => everybody.filter(isHere), [everybody]);
}

/** As `useMembers`, with those who ask to be let in and those who are kept out. */
export function useEverybody(roomId: string | null): readonly Member[] {
  const client = useClient();
  const store = useMemo(() => (roomId === null ? null : memberStore(client, roomId)), [client, roomId]);
  useEffect(() => {
    if (roomId !== null) void loadMembers(client, roomId);
  }, [client, roomId]);
  return useSyncExternalStore(store?.subscribe ?? never, store?.get ?? nobody);
}

/** One person of a room, without fetching the others; null if nothing is known of them. */
export function useMember(roomId: string | null, userId: string): Member | null {
  const client = useClient();
  const store = useMemo(() => (roomId === null ? null : memberStore(client, roomId)), [client, roomId]);
  return useSyncExternalStore(store?.subscribe ?? never, () => store?.find(userId) ?? null);
}

const never = () => () => undefined;
const nobody = () => NOBODY;

/** Fetches all members of a room, once. */
export async function loadMembers(client: MatrixClient, roomId: string): Promise<void> {
  await client
    .getRoom(roomId)
    ?.loadMembersIfNeeded()
    .catch(() => undefined);
}

/** A person as others know them. */
export interface Person {
  readonly userId: string;
  readonly name: string;
  readonly avatar: string | null;
}

/** People of this server, by a part of their name. */
export async function findPeople(client: MatrixClient, term: string): Promise<readonly Person[]> {
  const answer = await client.searchUserDirectory({ term, limit: 30 });
  const me = client.getUserId();
  return answer.results
    .filter((result) => result.user_id !== me)
    .map((result) => ({
      userId: result.user_id,
      name: result.display_name ?? result.user_id,
      avatar: result.avatar_url ?? null,
    }));
}
