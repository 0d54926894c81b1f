import type { TFunction } from "i18next";
import { afterEach, expect, test, vi } from "vitest";

const said = vi.hoisted(() => ({ tell: vi.fn(), alert: vi.fn() }));
vi.mock("../components/Announcer", () => said);

import { copy } from "./copy";

const t = ((key: string) => key) as TFunction;
const by = (clipboard: unknown, command: () => boolean) => {
  vi.stubGlobal("navigator", { ...navigator, clipboard });
  Object.assign(document, { execCommand: vi.fn(command) });
};

afterEach(() => {
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

test("what was copied is told; where the browser refuses, another way is tried, and its failure told", async () => {
  const refusing = { writeText: () => Promise.reject(new DOMException("no", "NotAllowedError")) };
  by({ writeText: () => Promise.resolve() }, () => false);
  await copy("a", "Copied", t);
  by(refusing, () => true);
  await copy("a", "Copied", t);
  // Without a secure connection there is no clipboard.
  by(undefined, () => true);
  await copy("a", "Copied", t);
  expect(said.tell.mock.calls).toEqual([["Copied"], ["Copied"], ["Copied"]]);
  expect(said.alert).not.toHaveBeenCalled();
  by(refusing, () => false);
  await copy("a", "Copied", t);
  expect(said.alert).toHaveBeenCalledExactlyOnceWith("common.notCopied");
});
