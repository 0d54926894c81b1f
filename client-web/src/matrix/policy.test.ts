import type { MatrixClient } from "matrix-js-sdk";
import { expect, test, vi } from "vitest";

import { isOpen, readAccepted, readWindows, windowsNow } from "./policy";

const MINUTES = 60_000;

test("the windows are those of the server's settings, and null is for ever", () => {
  expect(readWindows({ messages: { edit_window_ms: 10 * MINUTES, delete_window_ms: null } })).toEqual({
    edit: 10 * MINUTES,
    delete: null,
  });
  expect(readWindows({})).toEqual({ edit: 3 * MINUTES, delete: 3 * MINUTES });
});

test("FILE-03: a field for files offers what the server takes", () => {
  expect(readAccepted({ media: { accepted_types: ["image/*", "application/pdf", 1] } })).toBe(
    "image/*,application/pdf",
  );
  expect(readAccepted({})).toBe("");
});

test("the settings are asked for once, where the server has them", async () => {
  const request = vi.fn(() => Promise.resolve({ messages: { edit_window_ms: 1 } }));
  const client = { http: { request } } as unknown as MatrixClient;
  expect(windowsNow(client).edit).toBe(3 * MINUTES);
  await vi.waitFor(() => {
    expect(windowsNow(client).edit).toBe(1);
  });
  expect(request).toHaveBeenCalledExactlyOnceWith("GET", "/settings", undefined, undefined, {
    prefix: "/_orvale/client/v1",
  });
});

test("a window is open to its last millisecond", () => {
  expect(isOpen(1_000, 500, 1_499)).toBe(true);
  expect(isOpen(1_000, 500, 1_500)).toBe(false);
  expect(isOpen(1_000, null, 9_999_999)).toBe(true);
});
