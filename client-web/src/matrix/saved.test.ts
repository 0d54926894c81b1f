import { expect, test } from "vitest";

import example from "../../../schemas/events/com.orvale.saved.example.json";
import schema from "../../../schemas/events/com.orvale.saved.schema.json";
import { readSaved, withSaved } from "./saved";

test("the example of the schema is read as it stands, with all that the schema requires", () => {
  expect(readSaved(example)).toEqual(example.messages);
  const one = schema.properties.messages.items;
  expect(Object.keys(example.messages[0]!).sort()).toEqual([...one.required].sort());
});

test("what nobody understands is left out", () => {
  expect(readSaved(null)).toEqual([]);
  expect(readSaved({ messages: [null, { room_id: 1 }, "x"] })).toEqual([]);
});

test("a message is kept once, the newest first, and 500 at most", () => {
  const one = withSaved([], { roomId: "!a", eventId: "$1" }, true, 1);
  const two = withSaved(one, { roomId: "!a", eventId: "$2" }, true, 2);
  expect(two.map((message) => message.event_id)).toEqual(["$2", "$1"]);
  expect(withSaved(two, { roomId: "!a", eventId: "$1" }, true, 3).map((one) => one.event_id)).toEqual([
    "$1",
    "$2",
  ]);
  expect(withSaved(two, { roomId: "!a", eventId: "$1" }, false)).toHaveLength(1);
  let many = two;
  for (let n = 0; n < 600; n += 1)
    many = withSaved(many, { roomId: "!a", eventId: `$m${String(n)}` }, true, n);
  expect(many).toHaveLength(500);
});
