// What a person may do in a room, and what it would take where they may not.

import { KnownMembership, RoomEvent, RoomStateEvent, type MatrixClient, type Room } from "matrix-js-sdk";
import { useCallback, useMemo, useSyncExternalStore } from "react";

import { CHANNEL, ROLES, roleOf, type Role } from "./channel";
import { useClient } from "./MatrixProvider";
import { Snapshot } from "./signals";

/** What can be allowed: acts on people and messages, and the settings of a room. */
export type Act =
  | "post"
  | "invite"
  | "kick"
  | "ban"
  | "redact"
  | "roles"
  | "block"
  | "name"
  | "topic"
  | "avatar"
  | "access"
  | "history"
  | "encryption"
  | "address"
  | "archive"
  | "upgrade";

const STATE: Partial<Record<Act, string>> = {
  roles: "m.room.power_levels",
  name: "m.room.name",
  topic: "m.room.topic",
  avatar: "m.room.avatar",
  access: "m.room.join_rules",
  history: "m.room.history_visibility",
  encryption: "m.room.encryption",
  address: "m.room.canonical_alias",
  archive: CHANNEL,
  upgrade: "m.room.tombstone",
};

const ACTS: readonly Act[] = [
  "post",
  "invite",
  "kick",
  "ban",
  "redact",
  "roles",
  "block",
  "name",
  "topic",
  "avatar",
  "access",
  "history",
  "encryption",
  "address",
  "archive",
  "upgrade",
];

/** Somebody's standing in a room. */
export interface Authority {
  readonly joined: boolean;
  /** Their power level; infinite for who made a room of a newer version. */
  readonly level: number;
  /** The power level each act asks for. */
  readonly needs: Readonly<Record<Act, number>>;
}

interface PowerLevels {
  readonly users?: Record<string, unknown>;
  readonly events?: Record<string, unknown>;
  readonly users_default?: unknown;
  readonly events_default?: unknown;
  readonly state_default?: unknown;
  readonly invite?: unknown;
  readonly kick?: unknown;
  readonly ban?: unknown;
  readonly redact?: unknown;
}

const whole = (value: unknown, otherwise: number) =>
  typeof value === "number" && Number.isInteger(value) ? value : otherwise;

/** What each act asks for, by the content of a room's power levels; null is a room without any. Pure. */
export function needsOf(content: object | null): Readonly<Record<Act, number>> {
  const levels = (content ?? {}) as PowerLevels;
  const stateDefault = content ? whole(levels.state_default, 50) : 0;
  const event = (type: string) => whole(levels.events?.[type], stateDefault);
  const need = (act: Act): number => {
    switch (act) {
      case "post":
        return whole(levels.events?.["m.room.message"], whole(levels.events_default, 0));
      case "invite":
        return whole(levels.invite, 0);
      case "kick":
      case "ban":
      case "redact":
        return whole(levels[act], 50);
      case "block":
        // A level is taken away, and it is written down by whom.
        return Math.max(event("m.room.power_levels"), event("com.orvale.member.block"));
      default:
        return event(STATE[act] ?? "");
    }
  };
  return Object.fromEntries(ACTS.map((act) => [act, need(act)])) as Record<Act, number>;
}

/** A member's level in a room. */
export function levelOf(room: Room, userId: string): number {
  const member = room.getMember(userId);
  if (member) return member.powerLevel;
  const levels = room.currentState.getStateEvents("m.room.power_levels", "")?.getContent<PowerLevels>();
  return whole(levels?.users?.[userId], whole(levels?.users_default, 0));
}

const NOTHING: Authority = { joined: false, level: 0, needs: needsOf(null) };

function authorityIn(client: MatrixClient, roomId: string): Authority {
  const room = client.getRoom(roomId);
  if (!room) return NOTHING;
  const content = room.currentState.getStateEvents("m.room.power_levels", "")?.getContent() ?? null;
  return {
    joined: room.getMyMembership() === (KnownMembership.Join as string),
    level: levelOf(room, client.getSafeUserId()),
    needs: needsOf(content),
  };
}

const same = (a: Authority, b: Authority) =>
  a.joined === b.joined && a.level === b.level && ACTS.every((act) => a.needs[act] === b.needs[act]);

/** One's own standing in a room. */
export function useAuthority(roomId: string): Authority {
  const client = useClient();
  const authority = useMemo(() => new Snapshot(() => authorityIn(client, roomId), same), [client, roomId]);
  const subscribe = useCallback(
    (listener: () => void) => {
      const room = client.getRoom(roomId);
      room?.currentState.on(RoomStateEvent.Update, listener);
      room?.on(RoomEvent.MyMembership, listener);
      return () => {
        room?.currentState.off(RoomStateEvent.Update, listener);
        room?.off(RoomEvent.MyMembership, listener);
      };
    },
    [client, roomId],
  );
  return useSyncExternalStore(subscribe, authority.get);
}

/** Whether somebody of this standing may do something. */
export function may(authority: Authority, act: Act): boolean {
  return authority.joined && authority.level >= authority.needs[act];
}

/** Why an act on somebody is not open, or null if it is. */
export type Hindrance = { readonly why: "role"; readonly role: Role } | { readonly why: "rank" };

/** Whether one may do something to somebody of a level: what the act asks for, and more power than they have. Pure. */
export function hindrance(authority: Authority, act: Act, theirs: number): Hindrance | null {
  if (!may(authority, act)) return { why: "role", role: roleOf(authority.needs[act]) };
  if (theirs >= authority.level) return { why: "rank" };
  return null;
}

/** The roles one may give somebody of a level. Pure. */
export function rolesToGive(authority: Authority, theirs: number): readonly Role[] {
  if (hindrance(authority, "roles", theirs)) return [];
  const given: readonly Role[] = ["member", "moderator", "admin", "owner"];
  return given.filter((role) => ROLES[role] <= authority.level);
}
