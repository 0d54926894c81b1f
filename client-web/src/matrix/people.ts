// Finding people.

import { EventType, type MatrixClient, type User } from "matrix-js-sdk";

import { errcodeOf } from "./requests";

/** A person as others know them. */
export interface Person {
  readonly userId: string;
  readonly name: string;
  /** An address of the media repository, or null. */
  readonly avatar: string | null;
}

const MOST = 30;

function personOf(user: User): Person {
  return { userId: user.userId, name: nameOf(user), avatar: user.avatarUrl ?? null };
}

/** Who has no name yet is called by the user id in the SDK; the part people know is enough. */
function nameOf(user: User): string {
  const name = user.displayName;
  return name && name !== user.userId ? name : shortName(user.userId);
}

/** `ada` of `@ada:example.org`. */
export function shortName(userId: string): string {
  return userId.slice(1).split(":")[0] ?? userId;
}

/** Somebody this person has seen already: those they write with first, then by name. */
export function knownPeople(client: MatrixClient): readonly Person[] {
  const me = client.getUserId();
  const direct = client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>() ?? {};
  const last = (userId: string) =>
    Math.max(
      0,
      ...(Array.isArray(direct[userId]) ? direct[userId] : []).map(
        (roomId) => client.getRoom(roomId)?.getLastActiveTimestamp() ?? 0,
      ),
    );
  return client
    .getUsers()
    .filter((user) => user.userId !== me)
    .map((user) => ({ person: personOf(user), at: last(user.userId) }))
    .sort((a, b) => b.at - a.at || a.person.name.localeCompare(b.person.name))
    .slice(0, MOST)
    .map(({ person }) => person);
}

/** Somebody, as far as this browser knows of them. */
export function personKnown(client: MatrixClient, userId: string): Person {
  const user = client.getUser(userId);
  return user ? personOf(user) : { userId, name: shortName(userId), avatar: null };
}

/** People by a part of their name; without one, those this person knows. A whole user ID finds its user, wherever they are. */
export async function findPeople(client: MatrixClient, term: string): Promise<readonly Person[]> {
  const wanted = term.trim();
  if (wanted === "") return knownPeople(client);
  const me = client.getUserId();
  const answer = await client.searchUserDirectory({ term: wanted, limit: MOST });
  const found = answer.results
    .filter((result) => result.user_id !== me)
    .map((result) => ({
      userId: result.user_id,
      name: result.display_name ?? shortName(result.user_id),
      avatar: result.avatar_url ?? null,
    }));
  if (/^@[^:\s]+:\S+$/.test(wanted) && wanted !== me && !found.some((person) => person.userId === wanted)) {
    const person = await lookUp(client, wanted);
    if (person) found.unshift(person);
  }
  return found;
}

/** Somebody by their whole user ID, or null if there is no such user. */
export async function lookUp(
  client: MatrixClient,
  userId: string,
): Promise<{ userId: string; name: string; avatar: string | null } | null> {
  try {
    const profile = await client.getProfileInfo(userId);
    return { userId, name: profile.displayname ?? shortName(userId), avatar: profile.avatar_url ?? null };
  } catch (error) {
    const code = errcodeOf(error);
    if (code === "M_NOT_FOUND" || code === "M_FORBIDDEN" || code === "M_UNKNOWN") return null;
    throw error;
  }
}
