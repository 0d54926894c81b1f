import i18next from "i18next";
import { expect, test } from "vitest";

import { SessionError } from "../../matrix/session";
import { sentenceFor } from "./sentences";
import { takeToken } from "./handover";

const sentence = (code: string, byLink = false) =>
  sentenceFor(i18next.t, new SessionError(code, "as the server says", 403, 4200), byLink);

test("a refusal is told as what to do", () => {
  expect(sentence("M_FORBIDDEN")).toMatch(/Wrong user name or password/);
  expect(sentence("M_LIMIT_EXCEEDED")).toMatch(/in 5 s/);
  expect(sentence("M_FORBIDDEN", true)).toMatch(/login link is no longer valid/);
});

test("an unknown refusal is told in the server's words", () => {
  expect(sentence("M_STRANGE")).toMatch(/as the server says/);
});

test("a token is taken out of the address", () => {
  history.replaceState(null, "", "/chat#token=a.b.c");
  expect(takeToken()).toBe("a.b.c");
  expect(location.hash).toBe("");
  expect(takeToken()).toBeNull();
});
