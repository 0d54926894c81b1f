import type { VerificationRequest } from "matrix-js-sdk/lib/crypto-api";
import { VerificationPhase } from "matrix-js-sdk/lib/crypto-api";
import { act, renderHook } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { World } from "../../testing/world";
import { encryptionOf } from "./Encryption";
import { SAS, SCAN, SHOW } from "./methods";
import { textOf } from "./qrCode";
import { verifyDevice, verifyPerson } from "./security";
import { useVerification } from "./verification";

vi.mock("./security", { spy: true });

const FLOW = "$flow";
const CODE = `MATRIX\x02\x00\x00\x05${FLOW}${textOf(new Uint8Array(80))}`;

/** What does the verifying, once it is known how. */
class Verifier {
  sas: object | null = null;
  tick: { confirm: () => void; cancel: () => void } | null = null;
  getShowSasCallbacks = () => this.sas;
  getReciprocateQrCodeCallbacks = () => this.tick;
  once = () => undefined;
  verify = () => new Promise(() => undefined);
}

/** A request as the SDK gives it, in the hand of the test. */
class Request {
  phase = VerificationPhase.Requested;
  initiatedByMe = false;
  accepting = false;
  isSelfVerification = true;
  otherUserId = "@ada:example.org";
  otherDeviceId = "OTHER";
  cancellationCode: string | null = null;
  timeout = 600_000;
  transactionId = FLOW;
  /** What the other side can. */
  methods = [SAS];
  verifier = new Verifier();
  otherPartySupportsMethod = (method: string) => this.methods.includes(method);
  generateQRCode = vi.fn(() => Promise.resolve(new Uint8ClampedArray([77, 255])));
  scanQRCode = vi.fn(() => Promise.resolve(this.verifier));
  startVerification = vi.fn(() => Promise.resolve(this.verifier));
  changed: () => void = () => undefined;
  get pending() {
    return this.phase !== VerificationPhase.Cancelled && this.phase !== VerificationPhase.Done;
  }
  on(_: string, listener: () => void) {
    this.changed = listener;
  }
  cancel() {
    this.end("m.user");
    return Promise.resolve();
  }
  become(phase: VerificationPhase) {
    this.phase = phase;
    this.changed();
  }
  end(code: string) {
    this.phase = VerificationPhase.Cancelled;
    this.cancellationCode = code;
    this.changed();
  }
}

afterEach(() => vi.useRealTimers());

function begin(request = new Request(), camera = false) {
  const { client } = new World();
  const encryption = encryptionOf(client);
  encryption.scans = camera;
  const arrive = (one: Request) =>
    (encryption as unknown as { onRequest: (one: unknown) => void }).onRequest(one);
  arrive(request);
  const asked = request as unknown as VerificationRequest;
  const { result } = renderHook(() => useVerification(client, asked));
  return { client, encryption, arrive, request, result };
}

/** A verification that both sides want, with what the other side can. */
async function ready(methods: string[], { mine = true, camera = false } = {}) {
  const request = new Request();
  request.initiatedByMe = mine;
  request.methods = methods;
  const begun = begin(request, camera);
  await act(async () => {
    request.become(VerificationPhase.Ready);
    await Promise.resolve();
  });
  begun.encryption.stop();
  return { ...begun, view: () => begun.result.current.view };
}

test("a request that came while another was open is shown after it, if it still waits", async () => {
  const { encryption, arrive, request, result } = begin();
  const [gone, next] = [new Request(), new Request()];
  arrive(gone);
  arrive(next);
  expect(encryption.getAsked()).toBe(request);
  gone.end("m.timeout");
  await result.current.close();
  expect(request.cancellationCode).toBe("m.user");
  expect(encryption.getAsked()).toBe(next);
  encryption.stop();
});

test("what another device has accepted goes away by itself", () => {
  const { encryption, request } = begin();
  request.end("m.accepted");
  expect(encryption.getAsked()).toBeNull();
  encryption.stop();
});

test("who asked and was not accepted was declined; whoever stops later has cancelled", () => {
  const mine = new Request();
  mine.initiatedByMe = true;
  const one = begin(mine);
  const other = begin();
  act(() => [mine, other.request].forEach((request) => request.end("m.user")));
  expect(one.result.current.view.reason).toBe("declined");
  expect(other.result.current.view.reason).toBe("called-off");
  for (const { encryption } of [one, other]) encryption.stop();
});

test("with a side that knows emoji alone, who asked begins with them, and who was asked waits", async () => {
  const mine = await ready([SAS], { camera: true });
  expect(mine.request.startVerification).toHaveBeenCalledExactlyOnceWith(SAS);
  expect(mine.request.generateQRCode).not.toHaveBeenCalled();
  expect(mine.view().step).toBe("preparing");
  const theirs = await ready([SAS], { mine: false, camera: true });
  expect(theirs.request.startVerification).not.toHaveBeenCalled();
  expect(theirs.view().step).toBe("preparing");
});

test("a side that only shows codes cannot be scanned without a camera: emoji, as ever", async () => {
  const { request, view } = await ready([SAS, SHOW]);
  expect(request.startVerification).toHaveBeenCalledOnce();
  expect(view().step).toBe("preparing");
});

test("a code is shown to who can scan, and scanning is offered where they show one and a camera is here", async () => {
  const shown = await ready([SAS, SCAN]);
  expect(shown.view()).toMatchObject({ step: "choosing", code: "M\xff", scans: false });
  const both = await ready([SAS, SCAN, SHOW], { mine: false, camera: true });
  expect(both.view()).toMatchObject({ step: "choosing", code: "M\xff", scans: true });
  const scanned = await ready([SAS, SHOW], { camera: true });
  expect(scanned.view()).toMatchObject({ step: "choosing", code: null, scans: true });
  for (const { request } of [shown, both, scanned]) expect(request.startVerification).not.toHaveBeenCalled();
});

test("where no code can be made, emoji begin", async () => {
  const request = new Request();
  request.initiatedByMe = true;
  request.methods = [SAS, SCAN];
  request.generateQRCode.mockRejectedValue(new Error("other device is unknown"));
  const { encryption } = begin(request);
  act(() => request.become(VerificationPhase.Ready));
  await vi.waitFor(() => expect(request.startVerification).toHaveBeenCalledOnce());
  encryption.stop();
});

test("emoji that could not begin can be tried again", async () => {
  const { request, result, view } = await ready([SAS, SCAN]);
  request.startVerification.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  await act(() => expect(result.current.compare()).rejects.toThrow());
  expect(view().step).toBe("choosing");
  await act(() => result.current.compare());
  expect(view().step).toBe("preparing");
});

test("after the other side has scanned, it is asked whether they see a tick: yes confirms, no ends it", async () => {
  for (const yes of [true, false]) {
    const { request, result, view } = await ready([SAS, SCAN], { mine: false });
    const tick = { confirm: vi.fn(), cancel: vi.fn(() => request.end("m.user")) };
    request.verifier.tick = tick;
    act(() => request.become(VerificationPhase.Started));
    expect(view().step).toBe("scanned");
    await act(() => (yes ? result.current.confirm() : Promise.resolve(result.current.mismatch())));
    expect(tick.confirm).toHaveBeenCalledTimes(yes ? 1 : 0);
    expect(view()).toMatchObject(
      yes ? { step: "confirmed" } : { step: "cancelled", reason: "no-tick", repeatable: true },
    );
  }
});

test("a code that fits is answered with a tick until the other side confirms", async () => {
  const { request, result, view } = await ready([SAS, SHOW, SCAN], { camera: true });
  await act(async () => expect(await result.current.scan(CODE)).toBe("taken"));
  expect(textOf(request.scanQRCode.mock.calls.at(0)?.at(0) ?? [])).toBe(CODE);
  expect(view().step).toBe("ticked");
  act(() => request.become(VerificationPhase.Done));
  expect(view().step).toBe("done");
});

test("a code of another verification, of something else or half of one changes nothing", async () => {
  const { request, result, view } = await ready([SAS, SHOW], { camera: true });
  expect(await result.current.scan(CODE.replace(FLOW, "$else"))).toBe("of-others");
  expect(await result.current.scan("https://example.org")).toBe("foreign");
  expect(await result.current.scan(CODE.slice(0, 50))).toBe("damaged");
  expect(request.scanQRCode).not.toHaveBeenCalled();
  expect(view().step).toBe("choosing");
});

test("a code with other keys than those known here ends it on both sides", async () => {
  const { request, result, view } = await ready([SAS, SHOW], { camera: true });
  request.scanQRCode.mockRejectedValue(new Error("The keys that are being verified didn't match"));
  await act(async () => expect(await result.current.scan(CODE)).toBe("taken"));
  expect(view()).toMatchObject({ step: "cancelled", reason: "keys" });
  expect(request.cancellationCode).toBe("m.user");
});

test("where the server cannot be told of a scan, that is no matter of keys", async () => {
  const { request, result, view } = await ready([SAS, SHOW], { camera: true });
  request.scanQRCode.mockRejectedValue(Object.assign(new Error("away"), { name: "ConnectionError" }));
  await act(() => expect(result.current.scan(CODE)).rejects.toThrow("away"));
  expect(view()).toMatchObject({ step: "cancelled", reason: "other" });
});

test("ten minutes without an answer end it, and it can be asked for once more, by either side", async () => {
  for (const mine of [true, false]) {
    vi.useFakeTimers();
    const request = new Request();
    request.initiatedByMe = mine;
    request.isSelfVerification = false;
    const { client, encryption, result } = begin(request);
    if (!mine) act(() => request.become(VerificationPhase.Ready));
    act(() => void vi.advanceTimersByTime(599_000));
    expect(result.current.view.step).toBe(mine ? "waiting" : "preparing");
    act(() => void vi.advanceTimersByTime(1_000));
    expect(result.current.view).toMatchObject({ step: "cancelled", reason: "timeout", repeatable: true });
    // The crypto would end two that stand beside each other.
    vi.mocked(verifyPerson).mockImplementation(() => {
      expect(request.pending).toBe(false);
      return Promise.resolve();
    });
    await act(() => result.current.again());
    expect(verifyPerson).toHaveBeenLastCalledWith(client, "@ada:example.org");
    encryption.stop();
    vi.useRealTimers();
  }
});

test("who does not answer for two minutes is asked no more; another device of theirs may", () => {
  vi.useFakeTimers();
  const { encryption, request, result } = begin();
  act(() => void vi.advanceTimersByTime(119_000));
  expect(result.current.view.step).toBe("asked");
  expect(encryption.getAsked()).toBe(request);
  act(() => void vi.advanceTimersByTime(1_000));
  expect(encryption.getAsked()).toBeNull();
  expect(request.pending).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  encryption.stop();
});

test("what has lasted too long is put away without a word of one's own: the crypto has the right one", async () => {
  vi.useFakeTimers();
  const mine = new Request();
  mine.initiatedByMe = true;
  const { encryption, request, result } = begin(mine);
  act(() => void vi.advanceTimersByTime(600_000));
  await act(() => result.current.close());
  expect(request.cancellationCode).toBeNull();
  expect(encryption.getAsked()).toBeNull();
  encryption.stop();
});

test("what is over is not ended by the clock", () => {
  vi.useFakeTimers();
  const { encryption, request, result } = begin();
  act(() => request.become(VerificationPhase.Done));
  act(() => void vi.advanceTimersByTime(600_000));
  expect(result.current.view.step).toBe("done");
  encryption.stop();
});

test("the other side's clock ends it too, and the same device is asked again", async () => {
  const { encryption, client, request, result } = begin();
  act(() => request.end("m.timeout"));
  expect(result.current.view).toMatchObject({ step: "cancelled", reason: "timeout", repeatable: true });
  vi.mocked(verifyDevice).mockResolvedValue();
  await act(() => result.current.again());
  expect(verifyDevice).toHaveBeenCalledWith(client, "OTHER");
  encryption.stop();
});

test("who tries again is shown in place of what was cancelled, somebody else only after it", () => {
  const { encryption, arrive, request } = begin();
  request.end("m.timeout");
  const [other, again] = [new Request(), new Request()];
  other.otherUserId = "@ben:example.org";
  arrive(other);
  expect(encryption.getAsked()).toBe(request);
  arrive(again);
  expect(encryption.getAsked()).toBe(again);
  encryption.stop();
});
