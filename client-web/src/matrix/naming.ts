// What a room is to this person, and what it is called. Pure.

/** The sections of the room list. */
export type RoomKind = "direct" | "channel" | "group";

/** What the rules look at. */
export interface RoomFacts {
  /** `kind` of `com.orvale.channel`, if the room has one. */
  readonly declared: string | undefined;
  /** Listed in `m.direct`, or the invitation said so. */
  readonly direct: boolean;
  readonly name: string | undefined;
  readonly alias: string | undefined;
  /** Joined and invited people, oneself included. */
  readonly people: number;
}

/** Direct messages, channels or groups. */
export function kindOf(facts: RoomFacts): RoomKind {
  switch (facts.declared) {
    case "public_channel":
    case "private_channel":
    case "channel":
      return "channel";
    case "direct":
    case "direct_message":
      return "direct";
    case "group":
      return "group";
    default:
      break;
  }
  // A conversation of two that others were asked into is a group from then on.
  if (facts.direct && facts.people <= 2) return "direct";
  if (facts.name || facts.alias) return "channel";
  return "group";
}

/**
 * The name of a group: its other people, in a stable order. One: the name; two: "A & B"; three: all of them; more: the first two
 * and how many are left.
 */
export function groupName(others: readonly string[], count: number, nobody: string): string {
  const names = [...others].sort((a, b) => a.localeCompare(b) || (a < b ? -1 : 1));
  const total = Math.max(count, names.length);
  const [first, second, third] = names;
  if (first === undefined) return nobody;
  if (total === 1 || second === undefined) return total > 1 ? `${first} +${String(total - 1)}` : first;
  if (total === 2) return `${first} & ${second}`;
  if (total === 3 && third !== undefined) return `${first}, ${second}, ${third}`;
  return `${first}, ${second} +${String(total - 2)}`;
}
