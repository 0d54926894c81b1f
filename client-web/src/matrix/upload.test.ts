import { HTTPError, MatrixError } from "matrix-js-sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { settled, World } from "../testing/world";
import { uploadsOf } from "./upload";

const ROOM = "!a:example.org";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function begin(...answers: (Error | "here")[]) {
  const world = new World();
  world.room(ROOM);
  vi.spyOn(world.client, "getMediaConfig").mockResolvedValue({});
  const upload = vi.spyOn(world.client, "uploadContent").mockImplementation(() => {
    const answer = answers.shift() ?? "here";
    return answer === "here"
      ? Promise.resolve({ content_uri: "mxc://example.org/a" })
      : Promise.reject(answer);
  });
  const uploads = uploadsOf(world.client);
  const add = (name: string) => {
    void uploads.add({ roomId: ROOM }, new File(["x"], name));
    return vi.advanceTimersByTimeAsync(10);
  };
  const now = () => uploads.get(ROOM).map(({ waiting, error }) => error ?? (waiting ? "waits" : "runs"));
  return { world, upload, uploads, add, now };
}

const lost = () => new DOMException("", "AbortError");
const busy = () =>
  new MatrixError({ errcode: "M_LIMIT_EXCEEDED", error: "Too many requests", retry_after_ms: 5_000 }, 429);

test("an upload that a lost connection, a proxy's page or a busy server stopped is tried again by itself", async () => {
  const { upload, add, now } = begin(lost(), new HTTPError("Server returned 502 error", 502), busy());
  await add("a.pdf");
  expect(now()).toEqual(["waits"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(now()).toEqual(["waits"]);
  await vi.advanceTimersByTimeAsync(4_000);
  expect([now(), upload.mock.calls.length]).toEqual([["waits"], 3]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect([now(), upload.mock.calls.length]).toEqual([[], 4]);
});

test("without a connection it waits until that is back; it can be given up meanwhile", async () => {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
  const { upload, uploads, add, now } = begin(lost(), lost());
  await add("a.pdf");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([now(), upload.mock.calls.length]).toEqual([["waits"], 1]);
  dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(10);
  expect([now(), upload.mock.calls.length]).toEqual([["waits"], 2]);
  uploads.cancel(ROOM, "1");
  dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(10);
  expect([now(), upload.mock.calls.length]).toEqual([[], 2]);
});

test("a token that is over is renewed, and the file sent again", async () => {
  const { world, upload, add, now } = begin(
    new MatrixError({ errcode: "M_UNKNOWN_TOKEN", error: "expired" }, 401),
  );
  const renewed = vi.spyOn(world.client, "whoami").mockResolvedValue({ user_id: world.me });
  await add("a.pdf");
  expect(renewed).toHaveBeenCalledOnce();
  expect([now(), upload.mock.calls.length]).toEqual([[], 2]);
});

test("what a proxy finds too large is called that; what the server refuses is told in its words", async () => {
  const refused = new MatrixError({ errcode: "M_FORBIDDEN", error: "No programs" }, 403);
  const { add, now } = begin(new HTTPError("Server returned 413 error", 413), refused);
  await add("a.pdf");
  await add("b.exe");
  expect(now()).toEqual(["too-large", "No programs"]);
});

test("a name that disguises what a file is goes out as it is", async () => {
  const { world, add } = begin();
  const send = vi.spyOn(world.client, "sendEvent");
  await add("invoice\u202efdp.exe");
  vi.useRealTimers();
  await settled();
  expect(send.mock.calls[0]![3]).toMatchObject({ body: "invoicefdp.exe", filename: "invoicefdp.exe" });
});

test("a tab is not closed over a file on its way without being asked", async () => {
  const asks = () => {
    const leaving = new Event("beforeunload", { cancelable: true });
    dispatchEvent(leaving);
    return leaving.defaultPrevented;
  };
  const { add } = begin(lost());
  await add("a.pdf");
  expect(asks()).toBe(true);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asks()).toBe(false);
});
