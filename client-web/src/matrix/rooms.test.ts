import { act, renderHook } from "@testing-library/react";
import { RoomEvent } from "matrix-js-sdk";
import { createElement } from "react";
import { expect, test, vi } from "vitest";

import { settled, World } from "../testing/world";
import { ClientProvider } from "./MatrixProvider";
import { namesIn, roomStore, useRoom, useRoomFacts } from "./rooms";

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
