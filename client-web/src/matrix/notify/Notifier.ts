// What makes itself heard: sounds and desktop notifications, by the push rules. Loaded when the chat has begun.

import {
  MatrixEventEvent,
  PushRuleKind,
  RoomEvent,
  type IRoomTimelineData,
  type MatrixClient,
  type MatrixEvent,
  type Room,
} from "matrix-js-sdk";

import { roomStore } from "../rooms";

/** The three sounds. */
export type Sound = "message-ding" | "mention-ping" | "group-notification";

/** What is shown on the desktop. */
export interface Card {
  readonly roomId: string;
  readonly eventId: string | null;
  readonly kind: "message" | "invite";
  readonly sender: string;
  /** The conversation, where it is not just the sender. */
  readonly room: string | null;
  /** Null if it cannot be read here. */
  readonly text: string | null;
}

/** What the notifier may ask and do. */
export interface Surroundings {
  /** Whether this tab is the one that speaks. */
  readonly speaks: () => boolean;
  readonly isLookedAt: (roomId: string) => boolean;
  /** Do not disturb, or busy. */
  readonly isQuiet: () => boolean;
  readonly mayPlay: () => boolean;
  readonly play: (sound: Sound) => void;
  readonly mayShow: () => boolean;
  readonly show: (card: Card) => void;
  /** Takes back what is shown of a room: it was read. */
  readonly clear: (roomId: string) => void;
  /** The server's time: what is estimated of it moves back and forth a little. */
  readonly now: () => number;
}

/** At most one in this time, by a clock that only goes forward. */
const PAUSE = 2_000;
/** What is older was said while nobody was connected: it is counted, not announced. */
const OLD = 5 * 60_000;

/** Follows a client and announces what its push rules say. */
export class Notifier {
  private readonly client: MatrixClient;
  private readonly around: Surroundings;
  private readonly heard = new WeakSet<MatrixEvent>();
  /** Came in, and is being decrypted. */
  private readonly heardLocked = new WeakSet<MatrixEvent>();
  private readonly shown = new Set<string>();
  private lastSound = -PAUSE;
  private lastCard = -PAUSE;
  private waiting: Card | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly off: Array<() => void> = [];

  constructor(client: MatrixClient, around: Surroundings) {
    this.client = client;
    this.around = around;
  }

  start(): () => void {
    const { client } = this;
    const onTimeline = (
      event: MatrixEvent,
      room: Room | undefined,
      start: boolean | undefined,
      removed: boolean,
      data: IRoomTimelineData,
    ) => {
      if (room && data.liveEvent && !start && !removed) this.said(event, room);
    };
    const onDecrypted = (event: MatrixEvent) => {
      const room = client.getRoom(event.getRoomId());
      // Only what has just come in: older messages are read when their keys come.
      if (room && !event.isDecryptionFailure() && this.heardLocked.delete(event)) this.said(event, room);
    };
    const onMembership = (room: Room, membership: string, before?: string) => {
      if (membership === "invite" && before !== "invite") this.invited(room);
    };
    const onTotals = roomStore(client).onTotals(() => {
      for (const roomId of this.shown) {
        const room = roomStore(client).getSummary(roomId);
        if (!room || (room.unread === 0 && !room.invited)) this.clear(roomId);
      }
    });
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(MatrixEventEvent.Decrypted, onDecrypted);
    client.on(RoomEvent.MyMembership, onMembership);
    this.off.push(
      () => client.off(RoomEvent.Timeline, onTimeline),
      () => client.off(MatrixEventEvent.Decrypted, onDecrypted),
      () => client.off(RoomEvent.MyMembership, onMembership),
      onTotals,
    );
    return () => {
      clearTimeout(this.timer);
      this.off.splice(0).forEach((stop) => stop());
    };
  }

  /** What was said just now, and not what the page learns of the time before. */
  private isNews(event: MatrixEvent): boolean {
    return this.around.now() - event.getTs() < OLD;
  }

  private said(event: MatrixEvent, room: Room): void {
    const me = this.client.getSafeUserId();
    if (event.getSender() === me || this.heard.has(event) || !this.isNews(event)) return;
    if (event.getType() === "m.room.encrypted" && !event.isDecryptionFailure()) {
      this.heardLocked.add(event);
      return;
    }
    this.heard.add(event);
    const id = event.getId();
    if (id && room.hasUserReadEvent(me, id)) return;
    const actions = this.client.getPushActionsForEvent(event, true);
    if (!actions?.notify) return;
    const summary = roomStore(this.client).getSummary(room.roomId);
    const direct = summary?.kind === "direct";
    const mention = actions.tweaks.highlight === true;
    if (actions.tweaks.sound)
      this.sound(mention ? "mention-ping" : direct ? "message-ding" : "group-notification", room.roomId);
    const content = event.getContent();
    this.card({
      roomId: room.roomId,
      eventId: id ?? null,
      kind: "message",
      sender: event.sender?.name ?? event.getSender() ?? "",
      room: direct ? null : (summary?.name ?? room.name),
      text:
        // What a request to verify says is meant for clients that cannot.
        event.isDecryptionFailure() || content["msgtype"] === "m.key.verification.request"
          ? null
          : typeof content["body"] === "string"
            ? content["body"].slice(0, 300)
            : null,
    });
  }

  private invited(room: Room): void {
    const rule = this.client.pushRules?.global.override?.find(
      ({ rule_id }) => rule_id === ".m.rule.invite_for_me",
    );
    const master = this.client.pushRules?.global.override?.find(
      ({ rule_id }) => rule_id === ".m.rule.master",
    );
    if (master?.enabled || !rule?.enabled || !rule.actions.includes("notify" as never)) return;
    const me = this.client.getSafeUserId();
    const inviter = room.getMember(me)?.events.member?.getSender() ?? "";
    if (rule.actions.some((action) => typeof action === "object" && (action.set_tweak as string) === "sound"))
      this.sound("message-ding", room.roomId);
    this.card({
      roomId: room.roomId,
      eventId: null,
      kind: "invite",
      sender: room.getMember(inviter)?.name ?? inviter,
      room: room.name,
      text: null,
    });
  }

  private silent(roomId: string): boolean {
    return !this.around.speaks() || this.around.isLookedAt(roomId) || this.around.isQuiet();
  }

  private sound(sound: Sound, roomId: string): void {
    const now = performance.now();
    if (this.silent(roomId) || !this.around.mayPlay() || now - this.lastSound < PAUSE) return;
    this.lastSound = now;
    this.around.play(sound);
  }

  private card(card: Card): void {
    if (this.silent(card.roomId)) return;
    const now = performance.now();
    const rest = this.lastCard + PAUSE - now;
    if (rest > 0) {
      // Of several the last one is shown, when its time has come.
      this.waiting = card;
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        const next = this.waiting;
        this.waiting = null;
        if (next) this.card(next);
      }, rest);
      return;
    }
    this.lastCard = now;
    // Asked last and so seldom: it takes the browser about as long as all else that is done with a message.
    if (!this.around.mayShow()) return;
    this.shown.add(card.roomId);
    this.around.show(card);
  }

  private clear(roomId: string): void {
    this.shown.delete(roomId);
    if (this.waiting?.roomId === roomId) this.waiting = null;
    this.around.clear(roomId);
  }
}

/** How loud a kind of message is. */
export type Loudness = "sound" | "notify" | "off";

/** The kinds that can be set apart, and the push rules behind each. */
export const kinds = {
  direct: [
    [PushRuleKind.Underride, ".m.rule.room_one_to_one"],
    [PushRuleKind.Underride, ".m.rule.encrypted_room_one_to_one"],
  ],
  groups: [
    [PushRuleKind.Underride, ".m.rule.message"],
    [PushRuleKind.Underride, ".m.rule.encrypted"],
  ],
  mentions: [
    [PushRuleKind.Override, ".m.rule.is_user_mention"],
    [PushRuleKind.Override, ".m.rule.is_room_mention"],
  ],
  invites: [[PushRuleKind.Override, ".m.rule.invite_for_me"]],
} as const;

/** A kind that can be set apart. */
export type Kind = keyof typeof kinds;

interface Rule {
  readonly rule_id: string;
  readonly enabled: boolean;
  readonly actions: ReadonlyArray<string | { readonly set_tweak?: string; readonly value?: unknown }>;
  readonly pattern?: string;
}

type Rules = { readonly global?: Partial<Record<string, readonly Rule[]>> };

function find(rules: Rules | null, kind: string, id: string): Rule | undefined {
  return rules?.global?.[kind]?.find((rule) => rule.rule_id === id);
}

/** How loud a kind is by the account's rules. */
export function readLoudness(rules: object | null, kind: Kind): Loudness {
  const [first] = kinds[kind];
  const rule = find(rules, first[0], first[1]);
  if (!rule?.enabled || !rule.actions.includes("notify")) return "off";
  return rule.actions.some((action) => typeof action === "object" && action.set_tweak === "sound")
    ? "sound"
    : "notify";
}

/** Makes a kind louder or quieter, in push rules that every client understands. */
export async function setLoudness(client: MatrixClient, kind: Kind, loudness: Loudness): Promise<void> {
  const highlight = kind === "mentions" ? [{ set_tweak: "highlight" }] : [];
  const actions =
    loudness === "off"
      ? []
      : ["notify", ...(loudness === "sound" ? [{ set_tweak: "sound", value: "default" }] : []), ...highlight];
  for (const [ruleKind, id] of kinds[kind]) {
    // Without a rule of its own a mention is as loud as any message; for those there is nothing below.
    const without = loudness === "off" && ruleKind === PushRuleKind.Override;
    if (!without) await client.setPushRuleActions("global", ruleKind, id, actions as never);
    await client.setPushRuleEnabled("global", ruleKind, id, !without);
  }
}

/** Words that are told like a mention. */
export function readKeywords(rules: object | null): readonly string[] {
  const own = (rules as Rules | null)?.global?.["content"] ?? [];
  return own
    .filter((rule) => !rule.rule_id.startsWith(".") && rule.enabled && rule.pattern)
    .map((rule) => rule.pattern ?? "");
}

/** Adds a word. */
export async function addKeyword(client: MatrixClient, word: string): Promise<void> {
  await client.addPushRule("global", PushRuleKind.ContentSpecific, word, {
    pattern: word,
    actions: ["notify", { set_tweak: "sound", value: "default" }, { set_tweak: "highlight" }],
  } as never);
}

/** Takes a word away. */
export async function removeKeyword(client: MatrixClient, rules: object | null, word: string): Promise<void> {
  const rule = (rules as Rules | null)?.global?.["content"]?.find(({ pattern }) => pattern === word);
  await client.deletePushRule("global", PushRuleKind.ContentSpecific, rule?.rule_id ?? word);
}
