import type { VerificationRequest } from "matrix-js-sdk/lib/crypto-api";
import { VerificationPhase } from "matrix-js-sdk/lib/crypto-api";
import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";

import { World } from "../../testing/world";
import { encryptionOf } from "./Encryption";
import { useVerification } from "./verification";

/** A request as the SDK gives it, in the hand of the test. */
class Request {
  phase = VerificationPhase.Requested;
  initiatedByMe = false;
  accepting = false;
  isSelfVerification = true;
  otherUserId = "@ada:example.org";
  otherDeviceId = "OTHER";
  cancellationCode: string | null = null;
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
  end(code: string) {
    this.phase = VerificationPhase.Cancelled;
    this.cancellationCode = code;
    this.changed();
  }
}

function begin(request = new Request()) {
  const { client } = new World();
  const encryption = encryptionOf(client);
  const arrive = (one: Request) =>
    (encryption as unknown as { onRequest: (one: unknown) => void }).onRequest(one);
  arrive(request);
  const asked = request as unknown as VerificationRequest;
  const { result } = renderHook(() => useVerification(client, asked));
  return { encryption, arrive, request, result };
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
