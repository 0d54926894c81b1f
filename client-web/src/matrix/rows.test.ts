import { MatrixEvent, type IEvent } from "matrix-js-sdk";
import { expect, test, vi } from "vitest";

import { buildRows, GROUP_PAUSE, ofThread, type RowFacts } from "./rows";

const facts: RowFacts = { readUpTo: null, me: "@ada:e", fromStart: false, root: null, direct: false };
const noon = new Date(2024, 4, 6, 12).getTime();

function message(id: string, sender: string, time: number, more: Partial<IEvent> = {}): MatrixEvent {
  return new MatrixEvent({
    event_id: `$${id}`,
    room_id: "!a:e",
    type: "m.room.message",
    sender,
    origin_server_ts: time,
    content: { msgtype: "m.text", body: id },
    ...more,
  });
}

test("CALM-06: an author's messages stand together until a pause of five minutes", () => {
  const rows = buildRows(
    [
      message("a", "@ben:e", noon),
      message("b", "@ben:e", noon + 1_000),
      message("c", "@eve:e", noon + 2_000),
      message("d", "@eve:e", noon + 2_000 + GROUP_PAUSE),
    ],
    facts,
  );
  expect(rows.map((row) => row.continued)).toEqual([false, true, false, false]);
});

test("a request to verify is a line, and not the words for clients that cannot", () => {
  const content = { msgtype: "m.key.verification.request", body: "your client does not support it" };
  const request = message("a", "@ben:e", noon, { content });
  expect(buildRows([request], facts).map(({ kind }) => kind)).toEqual(["state"]);
  // Before it was read, it was a message like any other.
  const locked = message("b", "@ben:e", noon, { type: "m.room.encrypted", content: {} });
  const before = buildRows([locked], facts);
  vi.spyOn(locked, "getType").mockReturnValue("m.room.message");
  vi.spyOn(locked, "getContent").mockReturnValue(content);
  expect(buildRows([locked], facts, before).map(({ kind }) => kind)).toEqual(["state"]);
});

test("a thread holds its root once and first, whichever object the SDK holds of it", () => {
  const [known, other, reply] = [
    message("a", "@ben:e", noon),
    message("a", "@ben:e", noon),
    message("b", "@eve:e", noon + 1),
  ];
  expect(ofThread([known, other, reply], "$a", known, true)).toEqual([known, reply]);
  expect(ofThread([other, reply], "$a", known, true)).toEqual([known, reply]);
  expect(ofThread([reply], "$a", known, true)).toEqual([known, reply]);
  expect(ofThread([other, reply], "$a", undefined, true)).toEqual([other, reply]);
  // What is older is not there yet, and the root is older than everything.
  expect(ofThread([reply], "$a", known, false)).toEqual([reply]);
});

test("the root of a thread stands alone, whoever answers", () => {
  const rows = buildRows([message("a", "@ben:e", noon), message("b", "@ben:e", noon + 1_000)], {
    ...facts,
    root: "$a",
  });
  expect(rows.map((row) => row.continued)).toEqual([false, false]);
});

test("what is read above changes no row that was drawn", () => {
  const newer = [message("c", "@ben:e", noon + 2_000), message("d", "@ben:e", noon + 3_000)];
  const before = buildRows(newer, facts);
  const after = buildRows(
    [message("a", "@ben:e", noon), message("b", "@ben:e", noon + 1_000), ...newer],
    facts,
    before,
  );
  expect(after.slice(2)).toEqual(before);
  expect(after[2]).toBe(before[0]);
});

test("a new day and the unread part begin with a line, and with a name", () => {
  const day = 24 * 60 * 60 * 1000;
  const rows = buildRows(
    [message("a", "@ben:e", noon), message("b", "@ben:e", noon + 1_000), message("c", "@ben:e", noon + day)],
    { ...facts, readUpTo: "$a" },
  );
  expect(rows.map((row) => row.unread)).toEqual([false, true, false]);
  expect(rows.map((row) => row.day !== null)).toEqual([false, false, true]);
  expect(rows.map((row) => row.continued)).toEqual([false, false, false]);
});

test("edits, reactions and state nobody reads have no row; the making of a room is one line", () => {
  const state = (type: string, at: number, more: Partial<IEvent> = {}) =>
    message(type, "@ben:e", noon + at, { type, state_key: "", content: {}, ...more });
  const rows = buildRows(
    [
      state("m.room.create", 0),
      state("m.room.member", 1, { state_key: "@ben:e", content: { membership: "join" } }),
      state("m.room.power_levels", 2),
      state("m.room.name", 3, { content: { name: "x" } }),
      message("edit", "@ben:e", noon + 4, {
        content: {
          msgtype: "m.text",
          body: "* y",
          "m.relates_to": { rel_type: "m.replace", event_id: "$z" },
        },
      }),
      message("reaction", "@ben:e", noon + 5, { type: "m.reaction", content: {} }),
    ],
    facts,
  );
  expect(rows.map((row) => row.event.getType())).toEqual(["m.room.create"]);
});

test("an event of a type nobody knows is shown by its words, and only then", () => {
  const of = (type: string, content: object) => message(type, "@ben:e", noon, { type, content });
  const rows = buildRows(
    [
      of("org.example.greeting", { body: "hello" }),
      of("m.extensible", { "m.text": [{ body: "hello" }] }),
      of("org.example.beat", { count: 3 }),
      of("m.poll.response", { body: "1", "m.selections": ["a"] }),
      of("m.call.invite", { body: "call" }),
    ],
    facts,
  );
  expect(rows.map((row) => row.event.getType())).toEqual(["org.example.greeting", "m.extensible"]);
});

test("a conversation of two does not begin with who was asked and came, but tells who has not come yet, or is gone", () => {
  const founded = message("create", "@ben:e", noon, { type: "m.room.create", state_key: "", content: {} });
  const member = (id: string, who: string, at: number, membership: string, was?: string) =>
    message(id, who, noon + at, {
      type: "m.room.member",
      state_key: "@eve:e",
      content: { membership },
      unsigned: was ? { prev_content: { membership: was } } : {},
    });
  const asked = member("asked", "@ben:e", 1_000, "invite");
  const came = member("came", "@eve:e", 20_000, "join", "invite");
  const hello = message("hello", "@ben:e", noon + 30_000);
  const left = member("left", "@eve:e", 40_000, "leave", "join");
  const direct = { ...facts, direct: true, fromStart: true };
  const ids = (events: MatrixEvent[], of = direct) =>
    buildRows(events, of).map((row) => row.events.map((event) => event.getId()).join(" "));
  expect(ids([founded, asked, came, hello])).toEqual(["$hello"]);
  expect(buildRows([founded, asked, came, hello], direct)[0]?.day).not.toBeNull();
  expect(ids([founded, asked])).toEqual(["$asked"]);
  expect(ids([founded, asked, hello])).toEqual(["$asked", "$hello"]);
  expect(ids([founded, asked, came, hello, left])).toEqual(["$hello", "$left"]);
  expect(ids([founded, asked, came], facts)).toEqual(["$create", "$asked $came"]);
});
