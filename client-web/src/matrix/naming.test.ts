import { expect, test } from "vitest";

import { groupName, kindOf } from "./naming";

const facts = { declared: undefined, direct: false, name: undefined, alias: undefined, people: 2 };

test("a listed conversation of two is a direct message, a named one a channel, the rest are groups", () => {
  expect(kindOf({ ...facts, direct: true })).toBe("direct");
  expect(kindOf({ ...facts, name: "general" })).toBe("channel");
  expect(kindOf({ ...facts, alias: "#general:example.org" })).toBe("channel");
  expect(kindOf({ ...facts, people: 4 })).toBe("group");
  expect(kindOf({ ...facts, direct: true, people: 3 })).toBe("group");
});

test("what a room says of itself decides", () => {
  expect(kindOf({ ...facts, declared: "group", name: "Named" })).toBe("group");
  expect(kindOf({ ...facts, declared: "private_channel" })).toBe("channel");
  expect(kindOf({ ...facts, declared: "something new", name: "x" })).toBe("channel");
});

test("a group is called after its others, by the owner's rules", () => {
  const name = (...others: string[]) => groupName(others, others.length, "Group Chat");
  expect(name()).toBe("Group Chat");
  expect(name("Jane")).toBe("Jane");
  expect(name("Jane", "Bob")).toBe("Bob & Jane");
  expect(name("Jane", "Bob", "Alice")).toBe("Alice, Bob, Jane");
  expect(name("Jane", "Bob", "Alice", "Dora")).toBe("Alice, Bob +2");
  expect(name("Jane", "Bob", "Alice", "Dora", "Emil")).toBe("Alice, Bob +3");
});

test("people whose names are not known yet are counted", () => {
  expect(groupName(["Bob"], 3, "Group Chat")).toBe("Bob +2");
});
