// What makes a room a channel: `com.orvale.channel`, its power levels, its roles.

/** The type of the state event. */
export const CHANNEL = "com.orvale.channel";

/** The power levels of a room, as far as they are chosen here. */
export interface Levels {
  readonly events_default: number;
  readonly state_default: number;
  readonly invite: number;
  readonly kick: number;
  readonly ban: number;
  readonly redact: number;
  readonly events: Record<string, number>;
}

/** The roles of a channel, by power level. */
export const ROLES = { owner: 100, admin: 75, moderator: 50, member: 0, blocked: -1 } as const;

/** A role in a room. */
export type Role = keyof typeof ROLES;

/** The role that a power level comes to. */
export function roleOf(power: number): Role {
  if (power >= ROLES.owner) return "owner";
  if (power >= ROLES.admin) return "admin";
  if (power >= ROLES.moderator) return "moderator";
  return power < 0 ? "blocked" : "member";
}

/** Who may write in a channel: everybody in it, moderators and above, or administrators. */
export type Posting = "member" | "moderator" | "admin";

/** Who may write where this level is asked for. */
export function postingOf(level: number): Posting {
  if (level > ROLES.moderator) return "admin";
  return level > 0 ? "moderator" : "member";
}

/**
 * The power levels a channel starts with. Moderators keep order, which takes changing levels up to their own; administrators
 * decide what the channel is; owners can close it. Reactions and taking back one's own are no posts: they stay open where only
 * some may write.
 */
export function channelLevels(posting: Posting): Levels {
  return {
    events_default: ROLES[posting],
    state_default: ROLES.moderator,
    invite: 0,
    kick: ROLES.moderator,
    ban: ROLES.moderator,
    redact: ROLES.moderator,
    events: {
      "m.room.name": ROLES.admin,
      "m.room.topic": ROLES.moderator,
      "m.room.avatar": ROLES.admin,
      "m.room.canonical_alias": ROLES.admin,
      "m.room.power_levels": ROLES.moderator,
      "m.room.join_rules": ROLES.admin,
      "m.room.history_visibility": ROLES.admin,
      "m.room.guest_access": ROLES.admin,
      "m.room.encryption": ROLES.admin,
      "m.room.pinned_events": ROLES.moderator,
      "m.room.server_acl": ROLES.owner,
      "m.room.tombstone": ROLES.owner,
      "m.space.parent": ROLES.admin,
      [CHANNEL]: ROLES.admin,
      "com.orvale.member.block": ROLES.moderator,
      "m.reaction": ROLES.member,
      "m.room.redaction": ROLES.member,
    },
  };
}

/** The power levels of a group: all may shape it alike, who made it keeps order. */
export function groupLevels(): Levels {
  const { events, ...levels } = channelLevels("member");
  return { ...levels, events: { ...events, "m.room.name": 0, "m.room.topic": 0, "m.room.avatar": 0 } };
}

/** What a channel says of itself. */
export interface Channel {
  readonly kind: "public_channel" | "private_channel" | "direct_message" | "group" | null;
  readonly archived: boolean;
  /** Who could write before it was archived: to go back to. */
  readonly postingBefore: number | null;
}

const KINDS = ["public_channel", "private_channel", "direct_message", "group"] as const;

/** The content of `com.orvale.channel`; what is missing or unknown is as if nothing had been said. */
export function readChannel(content: unknown): Channel {
  const given = (typeof content === "object" && content !== null ? content : {}) as Record<string, unknown>;
  const before = given["events_default_before"];
  return {
    kind: KINDS.find((kind) => kind === given["kind"]) ?? null,
    archived: given["archived"] === true,
    postingBefore: typeof before === "number" && Number.isInteger(before) ? before : null,
  };
}
