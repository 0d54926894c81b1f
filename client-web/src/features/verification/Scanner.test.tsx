import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Scanned } from "../../matrix/encryption/verification";
import { show } from "../../testing/show";
import { makeReader, type Reader } from "./decode";
import { Scanner } from "./Scanner";

vi.mock("./decode");

const reader = vi.fn<Reader>();

class Track extends EventTarget {
  stop = vi.fn();
  getSettings = () => ({ facingMode: "environment" });
}

/** A camera as the browser gives it; null is a page without https. */
function camera(getUserMedia: ((wanted: MediaStreamConstraints) => Promise<unknown>) | null) {
  const asked = getUserMedia && vi.fn(getUserMedia);
  Object.defineProperty(navigator, "mediaDevices", {
    configurable: true,
    value: asked ? { getUserMedia: asked } : undefined,
  });
  return asked;
}

function on() {
  const track = new Track();
  const stream = { getTracks: () => [track], getVideoTracks: () => [track] };
  return { track, asked: camera(() => Promise.resolve(stream)) };
}

function open(answer: Scanned = "taken") {
  const onCode = vi.fn<(code: string) => Promise<Scanned>>(() => Promise.resolve(answer));
  const { unmount } = show(
    <div data-first="" tabIndex={-1}>
      <Scanner onCode={onCode} />
    </div>,
  );
  return { onCode, unmount };
}

beforeEach(() => {
  reader.mockReset().mockReturnValue(null);
  vi.mocked(makeReader).mockReturnValue(reader);
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
});

afterEach(() => {
  vi.useRealTimers();
  camera(null);
});

test("the camera that looks away is asked for first, without sound, and goes off when the part does", async () => {
  const { track, asked } = on();
  const { unmount } = open();
  expect(await screen.findByText(/^Hold the other side’s code/)).toBeTruthy();
  expect(asked?.mock.calls[0]?.[0]).toMatchObject({
    audio: false,
    video: { facingMode: { ideal: "environment" } },
  });
  expect(track.stop).not.toHaveBeenCalled();
  unmount();
  expect(track.stop).toHaveBeenCalledOnce();
});

test("a camera that is allowed after the part has gone is turned off at once", async () => {
  const track = new Track();
  let allow: (stream: unknown) => void = () => undefined;
  const asked = camera(() => new Promise((given) => (allow = given)));
  const { unmount } = open();
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  unmount();
  allow({ getTracks: () => [track], getVideoTracks: () => [track] });
  await vi.waitFor(() => expect(track.stop).toHaveBeenCalledOnce());
});

test("a code that is taken turns the camera off", async () => {
  const { track } = on();
  reader.mockReturnValue("the code");
  const { onCode } = open();
  await vi.waitFor(() => expect(track.stop).toHaveBeenCalled());
  expect(onCode).toHaveBeenCalledExactlyOnceWith("the code");
});

test.each([
  ["foreign", /none for verifying/],
  ["of-others", /belongs to another verification/],
  ["damaged", /is damaged/],
] as const)("a code that is %s is told once, and the search goes on", async (answer, told) => {
  const { track } = on();
  reader.mockReturnValue("a code");
  const { onCode } = open(answer);
  expect(await screen.findByText(told)).toBeTruthy();
  await vi.waitFor(() => expect(reader.mock.calls.length).toBeGreaterThan(3));
  expect(onCode).toHaveBeenCalledOnce();
  reader.mockReturnValue("another");
  await vi.waitFor(() => expect(onCode).toHaveBeenLastCalledWith("another"));
  expect(track.stop).not.toHaveBeenCalled();
});

test.each([
  ["NotAllowedError", /may not use the camera/, true],
  ["NotFoundError", /There is no camera/, false],
  ["NotReadableError", /Another program/, true],
  ["AbortError", /cannot be used just now/, true],
])("%s is told in words that name emoji, and tried again where that may help", async (name, told, again) => {
  camera(() => Promise.reject(new DOMException("no", name)));
  open();
  expect((await screen.findByText(told)).textContent).toMatch(/emoji/);
  expect(screen.queryAllByRole("button", { name: "Try again" })).toHaveLength(again ? 1 : 0);
  if (!again) return;
  on();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText(/^Hold the other side’s code/)).toBeTruthy();
  expect(document.activeElement).not.toBe(document.body);
});

test("a page without https is told why there is no camera", async () => {
  camera(null);
  open();
  expect((await screen.findByText(/pages with https only/)).textContent).toMatch(/emoji/);
});

test("a camera that is pulled out is told", async () => {
  const { track } = on();
  open();
  await screen.findByText(/^Hold the other side’s code/);
  act(() => void track.dispatchEvent(new Event("ended")));
  expect(await screen.findByText(/cannot be used just now/)).toBeTruthy();
});

test("who finds no code for a while is told what helps", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  on();
  open();
  await screen.findByText(/^Hold the other side’s code/);
  await act(() => vi.advanceTimersByTimeAsync(12_000));
  expect(screen.getByText(/^No code found yet/)).toBeTruthy();
});
