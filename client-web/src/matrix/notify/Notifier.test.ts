import type { IPushRules, Room } from "matrix-js-sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { World } from "../../testing/world";
import { type Card, Notifier, readKeywords, readLoudness, type Sound, type Surroundings } from "./Notifier";
import { type TabParts, Tabs } from "./Tabs";

const rules = {
  global: {
    override: [
      {
        rule_id: ".m.rule.is_user_mention",
        default: true,
        enabled: true,
        conditions: [
          {
            kind: "event_property_contains",
            key: "content.m\\.mentions.user_ids",
            value: "@ada:example.org",
          },
        ],
        actions: ["notify", { set_tweak: "sound", value: "default" }, { set_tweak: "highlight" }],
      },
    ],
    underride: [
      {
        rule_id: ".m.rule.message",
        default: true,
        enabled: true,
        conditions: [{ kind: "event_match", key: "type", pattern: "m.room.message" }],
        actions: ["notify", { set_tweak: "sound", value: "default" }],
      },
    ],
    content: [{ rule_id: "printer", enabled: true, pattern: "printer", actions: ["notify"] }],
    room: [],
    sender: [],
  },
} as unknown as IPushRules;

let world: World;
let room: Room;
let sounds: Sound[];
let cards: Card[];
let around: { -readonly [Key in keyof Surroundings]: Surroundings[Key] };
let time: number;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  world = new World();
  world.client.pushRules = rules;
  room = world.room("!a:example.org", ["@ben:example.org", "@chi:example.org"], "Team");
  sounds = [];
  cards = [];
  time = 1_700_000_100_000;
  around = {
    speaks: () => true,
    isLookedAt: () => false,
    isQuiet: () => false,
    mayPlay: () => true,
    play: (sound) => sounds.push(sound),
    mayShow: () => true,
    show: (card) => cards.push(card),
    clear: () => undefined,
    now: () => time,
  };
  stop = new Notifier(world.client, around).start();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

async function arrives(body: string, mentions: readonly string[] = [], sender = "@ben:example.org") {
  const event = world.event(
    room.roomId,
    "m.room.message",
    { msgtype: "m.text", body, "m.mentions": { user_ids: mentions } },
    { sender, origin_server_ts: time },
  );
  await room.addLiveEvents([event], { addToState: true });
}

const later = (ms: number) => {
  time += ms;
  vi.advanceTimersByTime(ms);
};

test("a message is heard and shown, a mention sounds differently, own messages do not", async () => {
  await arrives("hello");
  later(3_000);
  await arrives("Ada?", ["@ada:example.org"]);
  later(3_000);
  await arrives("myself", [], "@ada:example.org");
  expect(sounds).toEqual(["group-notification", "mention-ping"]);
  expect(cards.map(({ text, room: where }) => [text, where])).toEqual([
    ["hello", "Team"],
    ["Ada?", "Team"],
  ]);
});

test("when the server's time turns out to be earlier, the next message is heard as soon", async () => {
  await arrives("one");
  later(2_100);
  time -= 500;
  await arrives("two");
  expect(sounds).toHaveLength(2);
  expect(cards).toHaveLength(2);
});

test("CALM-07: at most one sound and one card in two seconds; the last one is shown after them", async () => {
  for (const body of ["one", "two", "three"]) {
    await arrives(body);
    later(300);
  }
  expect(sounds).toHaveLength(1);
  expect(cards.map(({ text }) => text)).toEqual(["one"]);
  later(1_200);
  expect(cards.map(({ text }) => text)).toEqual(["one", "three"]);
  expect(sounds).toHaveLength(1);
});

test("CALM-07: nothing for the room that is looked at, and nothing while it is to be quiet", async () => {
  around.isLookedAt = (roomId) => roomId === room.roomId;
  await arrives("seen");
  around.isLookedAt = () => false;
  around.isQuiet = () => true;
  await arrives("unheard", ["@ada:example.org"]);
  expect([sounds, cards]).toEqual([[], []]);
});

test("without sounds there are still cards, and the other way round", async () => {
  around.mayPlay = () => false;
  await arrives("silent");
  later(3_000);
  around.mayPlay = () => true;
  around.mayShow = () => false;
  await arrives("unseen");
  expect(sounds).toHaveLength(1);
  expect(cards.map(({ text }) => text)).toEqual(["silent"]);
});

test("in a burst the browser is not asked for each message whether it may show one", async () => {
  const mayShow = vi.fn(() => false);
  around.mayShow = mayShow;
  for (let nth = 0; nth < 20; nth += 1) {
    await arrives(`noise ${String(nth)}`);
    later(100);
  }
  expect(mayShow.mock.calls.length).toBeLessThanOrEqual(2);
  expect(cards).toEqual([]);
});

test("what was said long ago is counted, not announced", async () => {
  const event = world.text(room, "@ben:example.org", "yesterday", { origin_server_ts: time - 86_400_000 });
  await room.addLiveEvents([event], { addToState: true });
  expect([sounds, cards]).toEqual([[], []]);
});

test("the rules of the account are read as loudness and keywords", () => {
  expect(readLoudness(rules, "groups")).toBe("sound");
  expect(readLoudness(rules, "mentions")).toBe("sound");
  expect(readLoudness(rules, "invites")).toBe("off");
  expect(readKeywords(rules)).toEqual(["printer"]);
  expect(readKeywords(null)).toEqual([]);
});

/** Tabs of one browser. */
function browser() {
  const waiting: Array<() => void> = [];
  let held = false;
  const channels = new Set<NonNullable<TabParts["channel"]>>();
  return () => {
    const channel: NonNullable<TabParts["channel"]> = {
      onmessage: null,
      postMessage: (data: unknown) => {
        for (const other of channels)
          if (other !== channel)
            other.onmessage?.call(other as BroadcastChannel, { data } as MessageEvent<unknown>);
      },
      close: () => channels.delete(channel),
    };
    channels.add(channel);
    const locks = {
      request: async (_name: string, _options: object, act: () => Promise<void>) => {
        if (held) await new Promise<void>((next) => waiting.push(next));
        held = true;
        await act();
        held = false;
        waiting.shift()?.();
      },
    } as unknown as LockManager;
    return new Tabs("voice", { locks, channel });
  };
}

test("CALM-08: of three tabs one speaks; when it is closed the next does", async () => {
  vi.useRealTimers();
  const open = browser();
  const tabs = [open(), open(), open()];
  expect(tabs.map((tab) => tab.speaks)).toEqual([true, false, false]);
  tabs[0]?.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(tabs.map((tab) => tab.speaks)).toEqual([false, true, false]);
});

test("a room that is looked at in one tab is looked at for all of them", () => {
  const open = browser();
  const [one, other] = [open(), open()];
  other.looks("!a:example.org");
  expect(one.isLookedAt("!a:example.org")).toBe(true);
  // A tab that begins to speak later learns it, too.
  const third = open();
  expect(third.isLookedAt("!a:example.org")).toBe(false);
  other.looks(null);
  expect(one.isLookedAt("!a:example.org")).toBe(false);
});
