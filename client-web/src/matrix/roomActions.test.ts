import { expect, test, vi } from "vitest";

import { World } from "../testing/world";
import { joinRoom, setWeight } from "./roomActions";

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
