import { afterEach, expect, test, vi } from "vitest";

import { Drafts, draftsOf } from "./drafts";
import { draftKey } from "./keptTexts";

const ADA = "@ada:example.org";

afterEach(() => {
  localStorage.clear();
  vi.useRealTimers();
});

test("what is written or sent in another tab stands in this one, when nobody writes here", () => {
  vi.useFakeTimers();
  const here = draftsOf(ADA);
  const there = new Drafts(ADA, localStorage);
  const told = vi.fn();
  here.subscribe("!a", told);
  here.set("!a", { text: "be" });
  const hear = (place: string) => dispatchEvent(new StorageEvent("storage", { key: draftKey(ADA, place) }));
  expect(there.get("!a").text).toBe("be");
  there.set("!a", { text: "begun" });
  hear("!a");
  expect(here.get("!a").text).toBe("be");
  vi.advanceTimersByTime(1_000);
  expect(here.get("!a").text).toBe("begun");
  there.set("!a", { text: "" });
  hear("!a");
  expect(here.get("!a").text).toBe("");
  hear("!b");
  expect(told).toHaveBeenCalledTimes(3);
});

test("who logs out leaves no text behind, and takes nobody else's along", () => {
  draftsOf(ADA).set("!a", { text: "private" });
  draftsOf("@ben:example.org").set("!a", { text: "of somebody else" });
  draftsOf(ADA).forget();
  expect(draftsOf(ADA).get("!a").text).toBe("");
  expect(Object.keys(localStorage)).toEqual([draftKey("@ben:example.org", "!a")]);
});
