import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { act, Profiler } from "react";
import { expect, test, vi } from "vitest";

import { ClientProvider } from "../../matrix/MatrixProvider";
import { show } from "../../testing/show";
import { settled, World } from "../../testing/world";
import { flatten } from "./items";
import { RoomRow } from "./RoomRow";

const nothing = () => undefined;

test("ACT-08: an incoming event draws its own row again and no other", async () => {
  const world = new World();
  const ids = Array.from({ length: 12 }, (_, at) => `!room${String(at)}:example.org`);
  for (const [at, id] of ids.entries())
    world.room(id, ["@ben:example.org"], `room ${String(at).padStart(2, "0")}`);
  const drawn = new Map<string, number>();
  show(
    <ClientProvider client={world.client}>
      {ids.map((id) => (
        <Profiler key={id} id={id} onRender={(row) => drawn.set(row, (drawn.get(row) ?? 0) + 1)}>
          <RoomRow roomId={id} active={false} tabbable={false} onOpen={nothing} onMenu={nothing} />
        </Profiler>
      ))}
    </ClientProvider>,
  );
  await act(() => settled());
  drawn.clear();
  const room = world.client.getRoom(ids[3])!;
  await world.arrive(room, world.text(room, "@ben:example.org", "hello"));
  await act(() => settled());
  expect([...drawn.keys()]).toEqual([ids[3]]);
  expect(screen.getByRole("button", { name: /room 03.*New messages/ })).toBeTruthy();
});

test("typing and other people's receipts draw no row", async () => {
  const world = new World();
  const room = world.room("!a:example.org", ["@ben:example.org"], "general");
  const draw = vi.fn();
  show(
    <ClientProvider client={world.client}>
      <Profiler id="row" onRender={draw}>
        <RoomRow roomId={room.roomId} active={false} tabbable={false} onOpen={nothing} onMenu={nothing} />
      </Profiler>
    </ClientProvider>,
  );
  await act(() => settled());
  const message = world.text(room, world.me, "hi");
  await world.arrive(room, message);
  await act(() => settled());
  draw.mockClear();
  await act(async () => {
    const typing = world.event(room.roomId, "m.typing", { user_ids: ["@ben:example.org"] });
    room.currentState.setTypingEvent(typing);
    room.addReceipt(
      world.event(room.roomId, "m.receipt", {
        [message.getId()!]: { "m.read": { "@ben:example.org": { ts: 1 } } },
      }),
    );
    await settled();
  });
  expect(draw).not.toHaveBeenCalled();
});

test("a row opens its room by mouse and by keyboard", async () => {
  const world = new World();
  const room = world.room("!a:example.org", ["@ben:example.org"], "general");
  const open = vi.fn();
  show(
    <ClientProvider client={world.client}>
      <RoomRow roomId={room.roomId} active={false} tabbable onOpen={open} onMenu={nothing} />
    </ClientProvider>,
  );
  await userEvent.tab();
  await userEvent.keyboard("{Enter}");
  expect(open).toHaveBeenCalledWith(room.roomId);
});

test("closed sections keep their heading, and invitations appear only when there are some", () => {
  const sections = { invites: [], direct: ["!a"], channels: ["!b"], groups: [] };
  expect(flatten(sections, new Set(["direct"])).map((item) => item.key)).toEqual([
    "direct",
    "channels",
    "!b",
    "groups",
  ]);
  expect(
    flatten({ ...sections, invites: ["!i"] }, new Set())
      .slice(0, 2)
      .map((item) => item.key),
  ).toEqual(["invites", "!i"]);
});
