// One's own security: keys that prove who one is, the recovery key, the backup of message keys, and who is verified. Loaded later.

import type { MatrixClient } from "matrix-js-sdk";
import {
  decodeRecoveryKey,
  deriveRecoveryKeyFromPassphrase,
  type CryptoApi,
  type VerificationRequest,
} from "matrix-js-sdk/lib/crypto-api";

import { openDirect } from "../directory";
import { logOutDevices } from "../profile";
import { encryptionOf } from "./Encryption";
import { readKeyFile, writeKeyFile } from "./keyFile";
import { secretKeys } from "./secretKeys";

/** How an account's encryption stands, seen from this device. */
export interface Security {
  /** Whether the account has keys that prove who one is. */
  readonly identity: boolean;
  /** Whether this device is signed by them. */
  readonly verified: boolean;
  /** Whether there is a recovery key. */
  readonly recovery: boolean;
  /** Whether message keys of this device go into the backup. */
  readonly backedUp: boolean;
  /** Whether another device could verify this one. */
  readonly others: boolean;
}

/** The server wants to know that it is really them. */
export class PasswordWanted extends Error {}
/** Who is not verified cannot vouch for anybody. */
export class OwnKeysWanted extends Error {}
/** The text is no recovery key, and no passphrase of it either. */
export class WrongRecoveryKey extends Error {}

type Auth = Parameters<CryptoApi["resetEncryption"]>[0];

/** Asks without proof first; where the server wants one, the password is it. */
function proof(client: MatrixClient, password: string | null): Auth {
  return async (upload) => {
    try {
      await upload(null);
    } catch (refused) {
      const { httpStatus, data } = refused as { httpStatus?: number; data?: { session?: string } };
      if (httpStatus !== 401) throw refused;
      if (password === null) throw new PasswordWanted();
      await upload({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: client.getSafeUserId() },
        password,
        ...(data?.session ? { session: data.session } : {}),
      });
    }
  };
}

/** Who has asked the server for their own keys. */
const looked = new WeakSet<MatrixClient>();

/**
 * Whether the account has keys that prove who one is. The server is asked once: the sync tells of what comes later, and each answer would
 * be news to ask about again. While new keys are being made, an answer with the old ones would even undo them.
 */
async function hasIdentity(client: MatrixClient, crypto: CryptoApi): Promise<boolean> {
  if (looked.has(client)) return (await crypto.getCrossSigningStatus()).publicKeysOnDevice;
  const has = await crypto.userHasCrossSigningKeys(client.getSafeUserId(), true);
  looked.add(client);
  return has;
}

/** Asks the server once more, next time: another device may just have signed this one. */
export function askAgain(client: MatrixClient): void {
  looked.delete(client);
}

/** Reads how things stand. */
export async function readSecurity(client: MatrixClient): Promise<Security> {
  const crypto = await encryptionOf(client).need();
  const me = client.getSafeUserId();
  const own = client.getDeviceId() ?? "";
  const [identity, keyId, version, status, devices] = await Promise.all([
    hasIdentity(client, crypto),
    client.secretStorage.getDefaultKeyId(),
    crypto.getActiveSessionBackupVersion(),
    crypto.getDeviceVerificationStatus(me, own),
    crypto.getUserDeviceInfo([me]),
  ]);
  let others = false;
  for (const id of devices.get(me)?.keys() ?? []) {
    if (id === own) continue;
    if ((await crypto.getDeviceVerificationStatus(me, id))?.signedByOwner) others = true;
  }
  return {
    identity,
    verified: status?.crossSigningVerified ?? false,
    recovery: keyId !== null,
    backedUp: version !== null,
    others,
  };
}

/** So long, in ms, who logs out waits to be told what they would lose. */
const PATIENCE = 5_000;

/** Whether logging out would lose the keys of messages. Where that cannot be found out in time, it might. */
export async function losesKeys(client: MatrixClient): Promise<boolean> {
  const known = readSecurity(client).then(
    ({ recovery, backedUp }) => !recovery || !backedUp,
    () => true,
  );
  return Promise.race([known, new Promise<true>((late) => setTimeout(() => late(true), PATIENCE))]);
}

/** Makes everything there is to make; answers with the recovery key, which is shown once and never kept. */
export async function setUp(
  client: MatrixClient,
  options: { passphrase?: string; password?: string | null },
): Promise<string> {
  const crypto = await encryptionOf(client).need();
  const key = await crypto.createRecoveryKeyFromPassphrase(options.passphrase);
  await crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: proof(client, options.password ?? null),
  });
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: () => Promise.resolve(key),
    setupNewSecretStorage: true,
    // A backup that works already goes on under the new key.
    setupNewKeyBackup: (await crypto.getActiveSessionBackupVersion()) === null,
  });
  return key.encodedPrivateKey ?? "";
}

/** Gives up the old keys and makes new ones: for who has lost everything else. Others have to verify anew. */
export async function startOver(
  client: MatrixClient,
  options: { passphrase?: string; password?: string | null },
): Promise<string> {
  const crypto = await encryptionOf(client).need();
  // Backup and recovery key go first, and a wrong password would then leave nothing in their place: it is tried where it does no harm.
  await logOutDevices(client, [], options.password ?? "");
  await crypto.resetEncryption(proof(client, options.password ?? null));
  const key = await crypto.createRecoveryKeyFromPassphrase(options.passphrase);
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: () => Promise.resolve(key),
    setupNewSecretStorage: true,
  });
  await crypto.checkKeyBackupAndEnable();
  return key.encodedPrivateKey ?? "";
}

async function readRecoveryKey(client: MatrixClient, text: string): Promise<void> {
  const found = await client.secretStorage.getKey();
  if (!found) throw new WrongRecoveryKey();
  const [id, info] = found;
  const tries: Array<() => Promise<Uint8Array<ArrayBuffer>>> = [
    // eslint-disable-next-line @typescript-eslint/require-await -- a text that is no key is refused like a wrong passphrase
    async () => decodeRecoveryKey(text),
  ];
  const { passphrase } = info;
  if (passphrase)
    tries.push(() =>
      deriveRecoveryKeyFromPassphrase(text, passphrase.salt, passphrase.iterations, passphrase.bits),
    );
  for (const attempt of tries) {
    const key = await attempt().catch(() => null);
    if (key && (await client.secretStorage.checkKey(key, info))) {
      secretKeys.add(id, key);
      return;
    }
  }
  throw new WrongRecoveryKey();
}

/** Verifies this device by the recovery key (or its passphrase) and fetches the message keys; answers how many came. */
export async function recover(client: MatrixClient, text: string): Promise<number> {
  const crypto = await encryptionOf(client).need();
  await readRecoveryKey(client, text.trim());
  await crypto.userHasCrossSigningKeys(client.getSafeUserId(), true);
  await crypto.bootstrapCrossSigning({});
  const backup = await crypto.getKeyBackupInfo();
  if (!backup) return 0;
  await crypto.loadSessionBackupPrivateKeyFromSecretStorage();
  await crypto.checkKeyBackupAndEnable();
  const { imported } = await crypto.restoreKeyBackup();
  encryptionOf(client).decryptAll();
  return imported;
}

/** All message keys of this device as the text of a file. */
export async function exportKeys(client: MatrixClient, passphrase: string): Promise<string> {
  const crypto = await encryptionOf(client).need();
  return writeKeyFile(await crypto.exportRoomKeysAsJson(), passphrase);
}

/** Takes the message keys of a file; answers how many there are. */
export async function importKeys(client: MatrixClient, text: string, passphrase: string): Promise<number> {
  const crypto = await encryptionOf(client).need();
  const json = await readKeyFile(text, passphrase);
  await crypto.importRoomKeysAsJson(json);
  encryptionOf(client).decryptAll();
  return (JSON.parse(json) as unknown[]).length;
}

/** Whether a device is verified: unknown where it has no keys. */
export type DeviceTrust = "verified" | "unverified" | "no-keys";

/** Which of one's own devices are verified, by id; null before there is an identity that could vouch for them. */
export async function readDevices(client: MatrixClient): Promise<ReadonlyMap<string, DeviceTrust> | null> {
  const me = client.getSafeUserId();
  const crypto = await encryptionOf(client).need();
  if (!(await hasIdentity(client, crypto))) return null;
  const devices = (await crypto.getUserDeviceInfo([me])).get(me);
  const found = new Map<string, DeviceTrust>();
  for (const id of devices?.keys() ?? []) {
    // A device trusts itself from the beginning, and one that is not verified trusts no other: what counts is that the account vouches.
    const status = await crypto.getDeviceVerificationStatus(me, id);
    found.set(id, status?.signedByOwner ? "verified" : "unverified");
  }
  return found;
}

/** A device as its owner called it, with its id, since several may be called the same. */
export async function readDeviceName(
  client: MatrixClient,
  userId: string,
  deviceId: string,
): Promise<string> {
  const crypto = await encryptionOf(client).need();
  const name = (await crypto.getUserDeviceInfo([userId])).get(userId)?.get(deviceId)?.displayName;
  return name ? `${name} (${deviceId})` : deviceId;
}

/** How sure one can be of somebody: verified, not yet, nothing to verify, or not the one it was. */
export type PersonTrust = "verified" | "unverified" | "no-keys" | "changed";

/** Whether somebody is who they were when they were verified: as the server has it now, or as is known already. */
export async function readPerson(client: MatrixClient, userId: string, now: boolean): Promise<PersonTrust> {
  const crypto = await encryptionOf(client).need();
  if (!(await crypto.userHasCrossSigningKeys(userId, now))) return "no-keys";
  const status = await crypto.getUserVerificationStatus(userId);
  if (status.isCrossSigningVerified()) return "verified";
  return status.wasCrossSigningVerified() || status.needsUserApproval ? "changed" : "unverified";
}

/** Takes somebody's new keys for theirs, without verifying. */
export async function acceptChange(client: MatrixClient, userId: string): Promise<void> {
  const crypto = await encryptionOf(client).need();
  const status = await crypto.getUserVerificationStatus(userId);
  if (status.wasCrossSigningVerified()) await crypto.withdrawVerificationRequirement(userId);
  else await crypto.pinCurrentUserIdentity(userId);
}

function shown(client: MatrixClient, request: VerificationRequest): void {
  encryptionOf(client).show(request);
}

/** Asks one's other devices to verify this one. */
export async function verifyThisDevice(client: MatrixClient): Promise<void> {
  const crypto = await encryptionOf(client).need();
  shown(client, await crypto.requestOwnUserVerification());
}

/** Which device a request went to: nobody else knows before that device answers, or after it is over. */
const targets = new WeakMap<VerificationRequest, string>();

export function targetOf(request: VerificationRequest): string | undefined {
  return request.otherDeviceId ?? targets.get(request);
}

/** Verifies one of one's other devices. */
export async function verifyDevice(client: MatrixClient, deviceId: string): Promise<void> {
  const crypto = await encryptionOf(client).need();
  const request = await crypto.requestDeviceVerification(client.getSafeUserId(), deviceId);
  targets.set(request, deviceId);
  shown(client, request);
}

/** Verifies somebody else, by messages in the direct conversation of the two, which is made if there is none. */
export async function verifyPerson(client: MatrixClient, userId: string): Promise<void> {
  const crypto = await encryptionOf(client).need();
  if (!(await readSecurity(client)).verified) throw new OwnKeysWanted();
  await crypto.userHasCrossSigningKeys(userId, true);
  shown(client, await crypto.requestVerificationDM(userId, await openDirect(client, userId)));
}

/** Turns encryption on in a room. It cannot be turned off again. */
export async function encryptRoom(client: MatrixClient, roomId: string): Promise<void> {
  await encryptionOf(client).need();
  await client.sendStateEvent(
    roomId,
    "m.room.encryption" as never,
    { algorithm: "m.megolm.v1.aes-sha2" } as never,
  );
}
