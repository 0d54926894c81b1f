import { expect, test } from "vitest";

import { wordsIn } from "./events";
import { count, pollContent, readQuestion, readVote } from "./polls";

const unstable = {
  "org.matrix.msc1767.text": "Lunch?\n1. Soup\n2. Cake",
  "org.matrix.msc3381.poll.start": {
    kind: "org.matrix.msc3381.poll.disclosed",
    max_selections: 1,
    question: { "org.matrix.msc1767.text": "Lunch?" },
    answers: [
      { id: "soup", "org.matrix.msc1767.text": "Soup" },
      { id: "cake", "org.matrix.msc1767.text": "Cake" },
    ],
  },
};
const stable = {
  "m.text": [{ body: "Lunch?" }],
  "m.poll": {
    kind: "m.undisclosed",
    max_selections: 2,
    question: { "m.text": [{ body: "Lunch?" }] },
    answers: [
      { "m.id": "soup", "m.text": [{ body: "Soup" }] },
      { "m.id": "cake", "m.text": [{ body: "Cake" }] },
    ],
  },
};
const vote = (sender: string, time: number, ...answers: string[]) => ({ sender, time, answers });

test("polls of both kinds are read", () => {
  const answers = [
    { id: "soup", text: "Soup" },
    { id: "cake", text: "Cake" },
  ];
  expect(readQuestion(unstable)).toEqual({ question: "Lunch?", answers, most: 1, open: true });
  expect(readQuestion(stable)).toEqual({ question: "Lunch?", answers, most: 2, open: false });
  expect(readQuestion({ body: "no poll" })).toBeNull();
});

test("choices of both kinds are read", () => {
  const event = { sender: "@ben:example.org", origin_server_ts: 5 };
  const old = { "org.matrix.msc3381.poll.response": { answers: ["soup"] } };
  expect(readVote({ ...event, type: "org.matrix.msc3381.poll.response", content: old })?.answers).toEqual([
    "soup",
  ]);
  expect(
    readVote({ ...event, type: "m.poll.response", content: { "m.selections": ["cake", 3] } })?.answers,
  ).toEqual(["cake"]);
  expect(readVote({ ...event, type: "m.room.message", content: {} })).toBeNull();
});

test("of each person the last choice before the end counts, and nothing that was not offered", () => {
  const question = readQuestion(unstable)!;
  const votes = [
    vote("@a", 1, "soup"),
    vote("@a", 3, "cake"),
    vote("@b", 2, "soup", "cake"),
    vote("@c", 2, "pizza"),
    vote("@d", 2, "soup"),
    vote("@d", 4),
    vote("@e", 9, "soup"),
  ];
  const result = count(question, votes, 5);
  expect([...result.votes]).toEqual([
    ["soup", ["@b"]],
    ["cake", ["@a"]],
  ]);
  expect([result.voters, result.ended]).toEqual([2, true]);
  expect(count(question, votes, null).votes.get("soup")).toEqual(["@b", "@e"]);
});

test("a poll that is asked is read as it was meant, and has its words for clients without polls", () => {
  const content = pollContent({ question: "Lunch?", answers: ["Soup", "Cake"], most: 5, open: false });
  expect(readQuestion(content)).toEqual({
    question: "Lunch?",
    answers: [
      { id: "1", text: "Soup" },
      { id: "2", text: "Cake" },
    ],
    most: 2,
    open: false,
  });
  expect(wordsIn(content)).toBe("Lunch?\n1. Soup\n2. Cake");
  expect(readQuestion(pollContent({ question: "?", answers: ["a", "b"], most: 1, open: true }))?.open).toBe(
    true,
  );
});
