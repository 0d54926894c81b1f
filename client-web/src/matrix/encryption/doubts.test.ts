import type { MatrixEvent } from "matrix-js-sdk";
import { EventShieldColour, EventShieldReason } from "matrix-js-sdk/lib/crypto-api";
import { expect, test, vi } from "vitest";

import { World } from "../../testing/world";
import { findChanged, readDoubt } from "./doubts";

function begin() {
  const world = new World();
  const room = world.room("!secret:example.org");
  const crypto = {
    getEncryptionInfoForEvent: vi.fn(),
    userHasCrossSigningKeys: vi.fn().mockResolvedValue(true),
    getUserVerificationStatus: vi.fn(),
    getDeviceVerificationStatus: vi.fn().mockResolvedValue({ crossSigningVerified: true }),
  };
  vi.spyOn(world.client, "getCrypto").mockReturnValue(crypto as never);
  const before = world.text(room, "@ben:example.org", "in the clear, as everything was");
  room.currentState.setStateEvents([
    world.event(room.roomId, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" }, { state_key: "" }),
  ]);
  const after = world.text(room, "@ben:example.org", "somebody else wrote this");
  const secret = world.text(room, "@ben:example.org", "secret");
  vi.spyOn(secret, "isEncrypted").mockReturnValue(true);
  const reason = (shieldReason: EventShieldReason, shieldColour = EventShieldColour.RED) => {
    crypto.getEncryptionInfoForEvent.mockResolvedValue({ shieldColour, shieldReason });
    return readDoubt(world.client, secret);
  };
  return { ...world, client: world.client, crypto, before, after, reason };
}

test("a message in the clear is doubtful after encryption was turned on, and not before", async () => {
  const { client, before, after } = begin();
  const doubts = (events: MatrixEvent[]) => Promise.all(events.map((event) => readDoubt(client, event)));
  expect(await doubts([before, after])).toEqual([null, "clear"]);
});

test("a device that its owner has not verified is doubtful, if the owner verifies devices at all", async () => {
  const { crypto, reason } = begin();
  expect(await reason(EventShieldReason.UNSIGNED_DEVICE)).toBe("device");
  crypto.userHasCrossSigningKeys.mockResolvedValue(false);
  expect(await reason(EventShieldReason.UNSIGNED_DEVICE)).toBeNull();
  expect(await reason(EventShieldReason.VERIFICATION_VIOLATION)).toBe("identity");
  // Out of the backup: as good as it gets.
  expect(await reason(EventShieldReason.AUTHENTICITY_NOT_GUARANTEED, EventShieldColour.GREY)).toBeNull();
});

test("who has new keys since they were verified, or since they were first seen, is found", async () => {
  const { client, crypto } = begin();
  const status = (was: boolean, is: boolean, needsUserApproval = false) => ({
    wasCrossSigningVerified: () => was,
    isCrossSigningVerified: () => is,
    needsUserApproval,
  });
  const people: Record<string, unknown> = {
    "@ben:e": status(false, false),
    "@eve:e": status(true, true),
    "@lena:e": status(true, false),
    "@noor:e": status(false, false, true),
  };
  crypto.getUserVerificationStatus.mockImplementation((userId: string) => Promise.resolve(people[userId]));
  expect(await findChanged(client, ["@ben:e", "@eve:e"])).toBeNull();
  expect(await findChanged(client, ["@ben:e", "@lena:e", "@noor:e"])).toBe("@lena:e");
  expect(await findChanged(client, ["@noor:e"])).toBe("@noor:e");
  // It was oneself who started over.
  crypto.getDeviceVerificationStatus.mockResolvedValue({ crossSigningVerified: false });
  expect(await findChanged(client, ["@lena:e"])).toBeNull();
});
