import { expect, test, vi } from "vitest";

import { accepting, broken, EventStatus, refusing, settled, World } from "../testing/world";
import { isRefused, onRefused, Outbox } from "./Outbox";
import { deleteMessage, discard, resend, sendEdit, sendMessage, toggleReaction } from "./send";
import { viewOf } from "./events";

const say = (body: string) => ({ body, html: null, mentions: [] });

function begin() {
  const world = new World();
  const room = world.room("!a:example.org");
  const outbox = new Outbox(world.client);
  const stop = outbox.start();
  return { world, room, outbox, stop };
}

test("messages go out in order, each once", async () => {
  const { world, room, stop } = begin();
  for (const body of ["one", "two", "three"]) sendMessage(world.client, { roomId: room.roomId }, say(body));
  const expected = room.getPendingEvents().map((event) => event.getTxnId());
  await settled();
  expect(world.sent).toEqual(expected);
  stop();
});

test("what was written without a connection is sent when it is back, in order, under the same transaction ids", async () => {
  const { world, room, outbox, stop } = begin();
  world.server = broken;
  sendMessage(world.client, { roomId: room.roomId }, say("one"));
  await settled();
  sendMessage(world.client, { roomId: room.roomId }, say("two"));
  await settled();
  const waiting = room.getPendingEvents();
  const expected = waiting.map((event) => event.getTxnId());
  expect(waiting.map((event) => [event.status, isRefused(event)])).toEqual([
    [EventStatus.NOT_SENT, false],
    [EventStatus.NOT_SENT, false],
  ]);
  world.server = accepting;
  outbox.hurry();
  await settled(30);
  expect(world.sent).toEqual(expected);
  stop();
});

test.each([
  ["a proxy says the server is down", () => new Response("<html>Bad gateway</html>", { status: 502 })],
  ["a proxy answers in the server's place", () => new Response("<html>Welcome to our network</html>")],
  ["the answer is cut off", () => new Response('{"event_id": "$', { status: 200 })],
])("where %s the message waits, and is sent later", async (_, between) => {
  const { world, room, outbox, stop } = begin();
  world.server = () => {
    const told = between();
    told.headers.set("Content-Type", told.ok ? "application/json" : "text/html");
    return told;
  };
  sendMessage(world.client, { roomId: room.roomId }, say("one"));
  await settled();
  expect(room.getPendingEvents().map((event) => [event.status, isRefused(event)])).toEqual([
    [EventStatus.NOT_SENT, false],
  ]);
  world.server = accepting;
  outbox.hurry();
  await settled(30);
  expect(room.getPendingEvents().filter(({ status }) => status === EventStatus.NOT_SENT)).toEqual([]);
  stop();
});

test("a refused message waits for its writer, and those behind it go out", async () => {
  const { world, room, outbox, stop } = begin();
  world.server = (txnId, content) =>
    (content as { body: string }).body === "no" ? refusing(txnId, content) : accepting(txnId, content);
  sendMessage(world.client, { roomId: room.roomId }, say("no"));
  sendMessage(world.client, { roomId: room.roomId }, say("yes"));
  await settled();
  sendMessage(world.client, { roomId: room.roomId }, say("also"));
  await settled();
  outbox.hurry();
  await settled(30);
  const refused = room.getPendingEvents().filter(isRefused);
  expect(refused.map((event) => event.getContent()["body"] as string)).toEqual(["no"]);
  expect(world.sent).toHaveLength(2);
  discard(world.client, refused[0]!);
  expect(room.getPendingEvents().filter((event) => event.status === EventStatus.NOT_SENT)).toEqual([]);
  stop();
});

test("a message whose answer was lost is not shown twice", async () => {
  const { world, room, outbox, stop } = begin();
  world.server = broken;
  sendMessage(world.client, { roomId: room.roomId }, say("did it arrive?"));
  await settled();
  const pending = room.getPendingEvents()[0]!;
  // It did: the sync brings it, told by a server that knows the transaction, to a client that was loaded anew.
  (room as unknown as { txnToEvent: Map<string, unknown> }).txnToEvent.clear();
  await world.arrive(room, world.echo(room, pending));
  world.server = accepting;
  outbox.hurry();
  await settled(30);
  expect(room.getPendingEvents()).toEqual([]);
  expect(world.sent).toEqual([]);
  stop();
});

test("rooms do not wait for each other", async () => {
  const { world, room, stop } = begin();
  const other = world.room("!b:example.org");
  let release: (() => void) | undefined;
  world.server = async (txnId, content) => {
    if ((content as { body: string }).body === "slow")
      await new Promise<void>((resolve) => (release = resolve));
    return accepting(txnId, content);
  };
  sendMessage(world.client, { roomId: room.roomId }, say("slow"));
  sendMessage(world.client, { roomId: other.roomId }, say("quick"));
  await settled();
  expect(world.sent).toHaveLength(1);
  release?.();
  await settled();
  expect(world.sent).toHaveLength(2);
  stop();
});

test("a reaction or deletion that is refused does not stand there as if it had been done, and is told", async () => {
  const { world, room, stop } = begin();
  const hello = world.text(room, "@ben:example.org", "hello");
  const own = world.text(room, world.me, "oh");
  await world.arrive(room, hello, own);
  const told = vi.fn();
  const deaf = onRefused(world.client, told);
  world.server = refusing;
  toggleReaction(world.client, hello, "👍", null);
  await settled();
  expect(told).toHaveBeenCalledOnce();
  await expect(deleteMessage(world.client, own)).rejects.toThrow("You may not write here.");
  expect(told, "who waits for the deletion is told by its answer").toHaveBeenCalledOnce();
  expect(own.isRedacted()).toBe(false);
  expect(room.getPendingEvents()).toEqual([]);
  deaf();
  stop();
});

test("a deletion without a connection is done when it is back, behind what was written before", async () => {
  const { world, room, outbox, stop } = begin();
  const own = world.text(room, world.me, "oh");
  await world.arrive(room, own);
  world.server = broken;
  sendMessage(world.client, { roomId: room.roomId }, say("one"));
  await settled();
  await deleteMessage(world.client, own);
  expect(own.isRedacted()).toBe(true);
  world.server = accepting;
  outbox.hurry();
  await settled(30);
  expect(world.sent).toHaveLength(2);
  stop();
});

test("a change of a message that waits, or was refused, is told at the message; one that comes after it takes its place", async () => {
  const { world, room, stop } = begin();
  const own = world.text(room, world.me, "hallo");
  await world.arrive(room, own);
  const now = () => {
    const { send, change, error, body } = viewOf(world.client, own);
    return [send, change, error, body];
  };
  world.server = broken;
  sendEdit(world.client, own, say("hello"));
  await settled();
  expect(now()).toEqual(["sent", "waiting", "fetch failed: Failed to fetch", "hello"]);
  world.server = refusing;
  resend(world.client, own);
  await settled();
  expect(now()).toEqual(["sent", "failed", "You may not write here.", "hello"]);
  sendEdit(world.client, own, say("hello!"));
  await settled();
  expect(room.getPendingEvents()).toHaveLength(1);
  discard(world.client, own);
  await settled();
  expect(now()).toEqual(["sent", "sent", null, "hallo"]);
  stop();
});
