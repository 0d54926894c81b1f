// State events in words that a line of the timeline is made from.

import type { MatrixClient, MatrixEvent } from "matrix-js-sdk";

import { membershipChange, type MembershipChange } from "./rows";

/** What happened. */
export type StateLine =
  | { readonly kind: "members"; readonly change: MembershipChange; readonly names: readonly string[] }
  | { readonly kind: "named"; readonly what: StateSentence; readonly name: string; readonly value: string };

/** The sentences about the room itself. */
export type StateSentence =
  | "created"
  | "name"
  | "nameRemoved"
  | "topic"
  | "topicRemoved"
  | "roomAvatar"
  | "public"
  | "private"
  | "history"
  | "encryption"
  | "tombstone"
  | "pinned"
  | "settings"
  | "verification";

function nameOf(client: MatrixClient, event: MatrixEvent): string {
  const sender = event.getSender() ?? "";
  // Whoever makes a room is not in it yet.
  const member = event.sender?.events.member
    ? event.sender
    : client.getRoom(event.getRoomId())?.getMember(sender);
  return member?.name ?? sender;
}

function subjectOf(event: MatrixEvent): string {
  const told = event.getContent()["displayname"] as unknown;
  const before = event.getPrevContent()["displayname"] as unknown;
  if (typeof told === "string" && told !== "") return told;
  if (typeof before === "string" && before !== "") return before;
  return event.target?.name ?? event.getStateKey() ?? "";
}

function sentenceOf(event: MatrixEvent): { what: StateSentence; value: string } | null {
  const content = event.getContent();
  const text = (key: string) => (typeof content[key] === "string" ? content[key] : "");
  switch (event.getType()) {
    case "m.room.create":
      return { what: "created", value: "" };
    case "m.room.name":
      return text("name") ? { what: "name", value: text("name") } : { what: "nameRemoved", value: "" };
    case "m.room.topic":
      return text("topic") ? { what: "topic", value: text("topic") } : { what: "topicRemoved", value: "" };
    case "m.room.avatar":
      return { what: "roomAvatar", value: "" };
    case "m.room.join_rules":
      return { what: text("join_rule") === "public" ? "public" : "private", value: "" };
    case "m.room.history_visibility":
      return { what: "history", value: "" };
    case "m.room.encryption":
      return { what: "encryption", value: "" };
    case "m.room.tombstone":
      return { what: "tombstone", value: "" };
    case "m.room.pinned_events":
      return { what: "pinned", value: "" };
    case "com.orvale.channel":
      return { what: "settings", value: "" };
    case "m.room.message":
      return { what: "verification", value: "" };
    default:
      return null;
  }
}

/** The lines of a row: people who did the same are named together. */
export function describeState(client: MatrixClient, events: readonly MatrixEvent[]): readonly StateLine[] {
  const lines: StateLine[] = [];
  for (const event of events) {
    if (event.getType() !== "m.room.member") {
      const sentence = sentenceOf(event);
      if (sentence) lines.push({ kind: "named", name: nameOf(client, event), ...sentence });
      continue;
    }
    const change = membershipChange(event);
    if (!change) continue;
    const name = subjectOf(event);
    const last = lines[lines.length - 1];
    if (last?.kind === "members" && last.change === change) {
      if (!last.names.includes(name)) lines[lines.length - 1] = { ...last, names: [...last.names, name] };
    } else {
      lines.push({ kind: "members", change, names: [name] });
    }
  }
  return lines;
}
