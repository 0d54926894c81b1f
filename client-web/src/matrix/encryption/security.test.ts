import type { CryptoApi } from "matrix-js-sdk/lib/crypto-api";
import { expect, test, vi } from "vitest";

import { World } from "../../testing/world";
import { encryptionOf } from "./Encryption";
import { losesKeys, readDevices, readSecurity, startOver } from "./security";

function begin() {
  const { client } = new World();
  const crypto = {
    userHasCrossSigningKeys: vi.fn().mockResolvedValue(true),
    getCrossSigningStatus: vi.fn().mockResolvedValue({ publicKeysOnDevice: true }),
    getActiveSessionBackupVersion: vi.fn().mockResolvedValue("1"),
    getDeviceVerificationStatus: vi.fn().mockResolvedValue({ crossSigningVerified: true }),
    getUserDeviceInfo: vi.fn().mockResolvedValue(new Map()),
    resetEncryption: vi.fn().mockResolvedValue(undefined),
    createRecoveryKeyFromPassphrase: vi.fn().mockResolvedValue({ encodedPrivateKey: "EsTP" }),
    bootstrapSecretStorage: vi.fn().mockResolvedValue(undefined),
    checkKeyBackupAndEnable: vi.fn().mockResolvedValue(null),
  };
  const encryption = encryptionOf(client);
  vi.spyOn(encryption, "need").mockResolvedValue(crypto as unknown as CryptoApi);
  const recovery = vi.spyOn(client.secretStorage, "getDefaultKeyId").mockResolvedValue("key");
  return { client, crypto, recovery };
}

test("the server is asked once for one's own keys: an answer with old ones would undo those that are being made", async () => {
  const { client, crypto } = begin();
  for (let look = 0; look < 3; look += 1)
    expect(await readSecurity(client)).toMatchObject({ identity: true, verified: true, backedUp: true });
  expect(crypto.userHasCrossSigningKeys).toHaveBeenCalledTimes(1);
});

test("starting over with a wrong password gives nothing up", async () => {
  const { client, crypto } = begin();
  const proof = vi.spyOn(client, "deleteMultipleDevices").mockRejectedValueOnce(new Error("Wrong password"));
  await expect(startOver(client, { password: "wrong" })).rejects.toThrow("Wrong password");
  expect(crypto.resetEncryption).not.toHaveBeenCalled();
  proof.mockResolvedValue({});
  expect(await startOver(client, { password: "right" })).toBe("EsTP");
  expect(crypto.resetEncryption).toHaveBeenCalledTimes(1);
  // No device is logged out for it.
  expect(proof.mock.calls.flatMap(([devices]) => devices)).toEqual([]);
});

test("logging out loses keys unless they are in a backup that a recovery key opens", async () => {
  const { client, crypto, recovery } = begin();
  expect(await losesKeys(client)).toBe(false);
  recovery.mockResolvedValueOnce(null);
  expect(await losesKeys(client)).toBe(true);
  crypto.getActiveSessionBackupVersion.mockResolvedValueOnce(null);
  expect(await losesKeys(client)).toBe(true);
  crypto.getActiveSessionBackupVersion.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  expect(await losesKeys(client)).toBe(true);
});

test("which devices the account vouches for is seen from one that is not verified too", async () => {
  const { client, crypto } = begin();
  const ids = ["TEST", "LAPTOP", "LOST"];
  crypto.getUserDeviceInfo.mockResolvedValue(
    new Map([[client.getSafeUserId(), new Map(ids.map((id) => [id, {}]))]]),
  );
  crypto.getDeviceVerificationStatus.mockImplementation((_: string, id: string) =>
    Promise.resolve({ crossSigningVerified: false, signedByOwner: id === "LAPTOP" }),
  );
  expect([...((await readDevices(client)) ?? [])]).toEqual([
    ["TEST", "unverified"],
    ["LAPTOP", "verified"],
    ["LOST", "unverified"],
  ]);
});
