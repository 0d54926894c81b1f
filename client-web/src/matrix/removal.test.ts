import { expect, test } from "vitest";

import { World } from "../testing/world";
import { removalFrom } from "./removal";

const ROOM = "!a:example.org";

function after(sender: string, content: object, was = "join") {
  const world = new World();
  const room = world.room(ROOM, ["@ben:example.org"], "general");
  room.currentState.setStateEvents([
    world.event(ROOM, "m.room.member", content, {
      state_key: world.me,
      sender,
      unsigned: { prev_content: { membership: was } },
    }),
  ]);
  return removalFrom(world.client, ROOM);
}

test("who was removed or banned learns by whom and why", () => {
  const removed = { room: "general", by: "Ben", reason: "Too loud" };
  expect(after("@ben:example.org", { membership: "leave", reason: " Too loud " })).toEqual({
    ...removed,
    banned: false,
  });
  expect(after("@ben:example.org", { membership: "ban", reason: "Too loud" })).toEqual({
    ...removed,
    banned: true,
  });
  expect(after("@ben:example.org", { membership: "leave" })?.reason).toBe("");
});

test("who left, is there, or was only invited was not removed", () => {
  expect(after("@ada:example.org", { membership: "leave" })).toBe(null);
  expect(after("@ada:example.org", { membership: "join" })).toBe(null);
  expect(after("@ben:example.org", { membership: "leave" }, "invite")).toBe(null);
  expect(removalFrom(new World().client, ROOM)).toBe(null);
});
