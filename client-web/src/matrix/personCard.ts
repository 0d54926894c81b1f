// One person, as their card shows them.

import { UserEvent, type MatrixClient } from "matrix-js-sdk";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";

import { useAccountData } from "./accountData";
import { useClient } from "./MatrixProvider";
import { useMember, type Member } from "./members";
import { IGNORED, isIgnored } from "./moderation";
import { lookUp, personKnown, type Person } from "./people";
import { sameShape, Snapshot } from "./signals";
import { unlessOver } from "./unlessOver";

/** What is known of somebody. */
export interface PersonCardData extends Person {
  /** How they stand in the room the card was opened from. */
  readonly member: Member | null;
  readonly ignored: boolean;
}

/** Somebody: at once as this browser knows them, then as the server does. */
export function usePersonCard(userId: string, roomId: string | null): PersonCardData {
  const client = useClient();
  const member = useMember(roomId, userId);
  const ignored = isIgnored(useAccountData(IGNORED), userId);
  const known = useMemo(() => new Snapshot(() => personKnown(client, userId), sameShape), [client, userId]);
  const subscribe = useCallback((listener: () => void) => onUser(client, userId, listener), [client, userId]);
  const here = useSyncExternalStore(subscribe, known.get);
  const [told, setTold] = useState<Person | null>(null);
  useEffect(() => unlessOver(lookUp(client, userId), setTold), [client, userId]);
  const person = told?.userId === userId ? told : here;
  return {
    userId,
    name: member?.name ?? person.name,
    avatar: member?.avatar ?? person.avatar,
    member,
    ignored,
  };
}

function onUser(client: MatrixClient, userId: string, listener: () => void): () => void {
  const changed = (_event: unknown, user: { userId: string }) => {
    if (user.userId === userId) listener();
  };
  client.on(UserEvent.DisplayName, changed);
  client.on(UserEvent.AvatarUrl, changed);
  return () => {
    client.off(UserEvent.DisplayName, changed);
    client.off(UserEvent.AvatarUrl, changed);
  };
}
