// The people of a room.

import { KnownMembership, RoomStateEvent, type MatrixClient, type RoomState } from "matrix-js-sdk";
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
}

const NOBODY: readonly Member[] = [];

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
      .filter(
        (member) =>
          member.membership === KnownMembership.Join || member.membership === KnownMembership.Invite,
      )
      .map((member): Member => {
        const fresh: Member = {
          userId: member.userId,
          name: member.name,
          avatar: member.getMxcAvatarUrl() ?? null,
          power: member.powerLevel,
          invited: member.membership === KnownMembership.Invite,
        };
        const known = before.get(member.userId);
        return known && sameShape(known, fresh) ? known : fresh;
      })
      .sort((a, b) => b.power - a.power || a.name.localeCompare(b.name));
    const same =
      next.length === this.members.length && next.every((member, index) => member === this.members[index]);
    if (!same) this.members = next;
    return this.members;
  };
}

const stores = new WeakMap<MatrixClient, Map<string, MemberStore>>();

/** The joined and invited people of a room, the powerful first; all of them are fetched on first use. */
export function useMembers(roomId: string): readonly Member[] {
  const client = useClient();
  const store = useMemo(() => {
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
  }, [client, roomId]);
  useEffect(() => {
    void loadMembers(client, roomId);
  }, [client, roomId]);
  return useSyncExternalStore(store.subscribe, store.get);
}

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

/** Invites somebody. */
export async function invite(client: MatrixClient, roomId: string, userId: string): Promise<void> {
  await client.invite(roomId, userId);
}

/** Removes somebody. */
export async function removeMember(
  client: MatrixClient,
  roomId: string,
  userId: string,
  reason?: string,
): Promise<void> {
  await client.kick(roomId, userId, reason);
}
