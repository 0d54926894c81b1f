import { act, renderHook } from "@testing-library/react";
import { RoomEvent } from "matrix-js-sdk";
import { createElement } from "react";
import { expect, test, vi } from "vitest";

import example from "../../../schemas/events/com.orvale.permissions.example.json";

import { settled, World } from "../testing/world";
import { ClientProvider } from "./MatrixProvider";
import { isIgnored } from "./moderation";
import { permits } from "./permissions";
import {
  joinRoom,
  namesIn,
  resort,
  roomStore,
  setWeight,
  sortRooms,
  useRoom,
  useRoomFacts,
  type RoomSummary,
} from "./rooms";

const row = (roomId: string, more: Partial<RoomSummary> = {}): RoomSummary => ({
  roomId,
  kind: "channel",
  name: roomId,
  topic: "",
  avatar: null,
  partner: null,
  people: 3,
  invited: false,
  waiting: false,
  inviter: null,
  inviterId: null,
  private: false,
  readOnly: false,
  archived: false,
  encrypted: false,
  pinned: false,
  low: false,
  notify: "all",
  unread: 0,
  mentions: 0,
  fresh: false,
  active: 0,
  ...more,
});

test("pinned rooms come first, those of little weight last, in every section", () => {
  const rooms = [row("a", { low: true }), row("b"), row("c", { pinned: true })];
  expect(sortRooms(rooms).channels).toEqual(["c", "b", "a"]);
  const direct = rooms.map((room, at): RoomSummary => ({ ...room, kind: "direct", active: -at }));
  expect(sortRooms(direct).direct).toEqual(["c", "b", "a"]);
});

test("invitations and requests that wait stand together, archived channels nowhere", () => {
  const sections = sortRooms([
    row("invited", { invited: true, active: 2 }),
    row("asked", { waiting: true, active: 1 }),
    row("old", { archived: true }),
  ]);
  expect(sections).toEqual({ invites: ["invited", "asked"], direct: [], channels: [], groups: [] });
});

test("few rooms that changed are put where sorting all would put them", () => {
  const kinds = ["direct", "channel", "group"] as const;
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const any = (roomId: string) =>
    row(roomId, {
      kind: kinds[random(3)]!,
      name: `Name ${String(random(40))}`,
      pinned: random(9) === 0,
      low: random(9) === 0,
      invited: random(12) === 0,
      archived: random(12) === 0,
      active: random(30),
    });
  const rooms = new Map<string, RoomSummary>();
  for (let nth = 0; nth < 200; nth += 1) rooms.set(`!${String(nth)}`, any(`!${String(nth)}`));
  let sections = sortRooms([...rooms.values()]);
  for (let round = 0; round < 100; round += 1) {
    const changed = [...new Set(Array.from({ length: random(60) }, () => `!${String(random(230))}`))];
    for (const roomId of changed) {
      if (random(4) === 0) rooms.delete(roomId);
      else rooms.set(roomId, any(roomId));
    }
    const place = (name: keyof typeof sections) => resort(name, sections[name], changed, rooms);
    sections = {
      invites: place("invites"),
      direct: place("direct"),
      channels: place("channels"),
      groups: place("groups"),
    };
    expect(sections).toEqual(sortRooms([...rooms.values()]));
  }
});

test("a room of little weight that is pinned loses the one for the other", async () => {
  const tags = { "m.lowpriority": {} };
  const client = {
    getRoom: () => ({ tags }),
    setRoomTag: vi.fn(() => Promise.resolve({})),
    deleteRoomTag: vi.fn(() => Promise.resolve({})),
  };
  await setWeight(client as never, "!a", "pinned");
  expect(client.deleteRoomTag).toHaveBeenCalledWith("!a", "m.lowpriority");
  expect(client.setRoomTag).toHaveBeenCalledWith("!a", "m.favourite", { order: 0.5 });
});

test("ROOM-20: a group is called by its others, and who came and went changes the name", async () => {
  const world = new World();
  const room = world.room("!g:example.org", ["@ben:example.org", "@chiara:example.org"]);
  const shown = renderHook(() => useRoom(room.roomId), {
    wrapper: ({ children }) => createElement(ClientProvider, { client: world.client, children }),
  });
  expect(shown.result.current?.name).toBe("Ben & Chiara");
  await world.arrive(
    room,
    world.event(
      room.roomId,
      "m.room.member",
      { membership: "join", displayname: "Dmitri" },
      { state_key: "@dmitri:example.org", sender: "@dmitri:example.org" },
    ),
  );
  await act(() => settled());
  expect(shown.result.current?.name).toBe("Ben, Chiara, Dmitri");
  expect(namesIn(world.client, room.roomId).names).toEqual(["Ada", "Ben", "Chiara", "Dmitri"]);
});

test("a permission that the server did not speak of is not hidden", () => {
  expect(permits(null, "chat.create_channels")).toBe(true);
  expect(permits({ permissions: ["chat.create_direct"] }, "chat.create_channels")).toBe(false);
  expect(permits({ permissions: ["chat.create_channels"] }, "chat.create_channels")).toBe(true);
  expect(example.permissions.filter((name) => !permits(example, name))).toEqual([]);
  expect(permits(example, "chat.create_channels")).toBe(false);
  expect(permits({}, "chat.create_channels")).toBe(true);
});

test("who is ignored stands in the account's list", () => {
  expect(isIgnored({ ignored_users: { "@ben:example.org": {} } }, "@ben:example.org")).toBe(true);
  expect(isIgnored({ ignored_users: {} }, "@ben:example.org")).toBe(false);
  expect(isIgnored(null, "@ben:example.org")).toBe(false);
});

test("who accepts an invitation to a conversation of two has it among the direct messages, in all clients", async () => {
  const world = new World();
  const put: unknown[] = [];
  const invite = (roomId: string, content: object) => {
    const room = world.room(roomId);
    room.currentState.setStateEvents([
      world.event(
        roomId,
        "m.room.member",
        { membership: "invite", ...content },
        { state_key: world.me, sender: "@ben:example.org" },
      ),
    ]);
  };
  invite("!two:example.org", { is_direct: true });
  invite("!many:example.org", {});
  vi.spyOn(world.client, "joinRoom").mockImplementation((id) =>
    Promise.resolve(world.client.getRoom(id) ?? world.room(id)),
  );
  vi.spyOn(world.client, "setAccountData").mockImplementation((type, content) => {
    put.push([type, content]);
    return Promise.resolve({});
  });
  await joinRoom(world.client, "!two:example.org");
  await joinRoom(world.client, "!many:example.org");
  expect(put).toEqual([["m.direct", { "@ben:example.org": ["!two:example.org"] }]]);
});

test("ACT-09: what stands around an open room is not drawn again with each message, but with its name", async () => {
  const world = new World();
  const room = world.room("!r:example.org", ["@ben:example.org"], "before");
  await settled();
  const names: (string | undefined)[] = [];
  const { result } = renderHook(
    () => {
      const facts = useRoomFacts(room.roomId);
      names.push(facts?.name);
      return useRoomFacts(room.roomId);
    },
    {
      wrapper: ({ children }) => createElement(ClientProvider, { client: world.client, children }),
    },
  );
  await act(() => settled());
  const before = names.length;
  await act(async () => {
    await world.arrive(room, world.text(room, "@ben:example.org", "hello"));
    await settled();
  });
  expect(names.length).toBe(before);
  await act(async () => {
    await world.arrive(
      room,
      world.event(
        room.roomId,
        "m.room.name",
        { name: "after" },
        { state_key: "", sender: "@ben:example.org" },
      ),
    );
    await settled();
  });
  expect(result.current?.name).toBe("after");
});

test("one's own receipt renews the row of its room, those of others do not", async () => {
  const world = new World();
  const room = world.room("!a:example.org");
  const store = roomStore(world.client);
  store.getSummary(room.roomId);
  await settled();
  const weighed = vi.spyOn(room, "getUnreadNotificationCount");
  const receipt = (userId: string) =>
    world.event(room.roomId, "m.receipt", {
      "$one:example.org": { "m.read": { "@ben:example.org": { ts: 1 } } },
      "$two:example.org": { "m.read.private": { [userId]: { ts: 2 } } },
    });
  world.client.emit(RoomEvent.Receipt, receipt("@chi:example.org"), room);
  await settled();
  store.getSummary(room.roomId);
  expect(weighed).not.toHaveBeenCalled();
  world.client.emit(RoomEvent.Receipt, receipt(world.client.getSafeUserId()), room);
  await settled();
  store.getSummary(room.roomId);
  expect(weighed).toHaveBeenCalled();
});
