import { expect, test } from "vitest";

import { World } from "../testing/world";
import { canForward, forward, forwardContent } from "./forward";

test("what is forwarded says the same and belongs to no thread, answers nothing and names nobody", () => {
  const world = new World();
  const event = world.event("!a:example.org", "m.room.message", {
    msgtype: "m.image",
    body: "> <@ben:example.org> look\n\ncat.png",
    url: "mxc://a/b",
    info: { w: 3, h: 2 },
    format: "org.matrix.custom.html",
    formatted_body: "<mx-reply><blockquote>look</blockquote></mx-reply><b>cat.png</b>",
    "m.mentions": { user_ids: ["@ben:example.org"] },
    "m.relates_to": { rel_type: "m.thread", event_id: "$root", "m.in_reply_to": { event_id: "$x" } },
  });
  expect(forwardContent(event)).toEqual({
    msgtype: "m.image",
    body: "cat.png",
    url: "mxc://a/b",
    info: { w: 3, h: 2 },
    format: "org.matrix.custom.html",
    formatted_body: "<b>cat.png</b>",
    "m.mentions": {},
  });
});

test("only messages that can be read are forwarded", () => {
  const world = new World();
  const said = (type: string) => world.event("!a:example.org", type, { msgtype: "m.text", body: "x" });
  expect(canForward(said("m.room.message"))).toBe(true);
  expect(canForward(said("m.room.encrypted"))).toBe(false);
});

test("each room gets the comment first, then the message", async () => {
  const world = new World();
  const rooms = ["!a:example.org", "!b:example.org"].map((id) => world.room(id));
  const bodies: unknown[] = [];
  world.server = (txnId, content) => {
    bodies.push((content as { body: string }).body);
    return new Response(JSON.stringify({ event_id: `$${txnId}` }), { status: 200 });
  };
  const event = world.text(rooms[0]!, "@ben:example.org", "hello");
  forward(
    world.client,
    event,
    rooms.map((room) => room.roomId),
    " see this ",
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(bodies.sort()).toEqual(["hello", "hello", "see this", "see this"]);
});
