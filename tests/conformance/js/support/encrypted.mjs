// Somebody whose client encrypts: matrix-js-sdk with its Rust crypto. What one does with keys reads as one does it.

import assert from "node:assert/strict";
import { CryptoEvent, VerificationPhase, VerificationRequestEvent, VerifierEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { Person } from "./person.mjs";
import { until } from "./waiting.mjs";

export const ENCRYPTION = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

/** Several people at once whose clients encrypt, logged in and syncing. */
export const encryptingPeople = (...names) => Promise.all(names.map((name) => EncryptingPerson.register(name)));

export class EncryptingPerson extends Person {
    /** Keys of secret storage that this device was told, by ID: a person types them in. */
    secrets = new Map();

    /** What the client asks of its person. */
    get clientOptions() {
        return {
            cryptoCallbacks: {
                getSecretStorageKey: async ({ keys }) => {
                    const known = Object.keys(keys).find((id) => this.secrets.has(id));
                    return known ? [known, this.secrets.get(known)] : null;
                },
                cacheSecretStorageKey: (id, _, key) => this.secrets.set(id, key),
            },
        };
    }

    async start(options) {
        await this.client.initRustCrypto({ useIndexedDB: false });
        return super.start(options);
    }

    get crypto() {
        return this.client.getCrypto();
    }

    /** Makes cross-signing keys; where the server wants a proof, by password. */
    async setUpCrossSigning(options = {}) {
        await this.crypto.bootstrapCrossSigning({
            authUploadDeviceSigningKeys: async (upload) => {
                try {
                    await upload(null);
                } catch (error) {
                    if (error.httpStatus !== 401) throw error;
                    await upload(this.passwordStage(error.data.session));
                }
            },
            ...options,
        });
    }

    /** Makes secret storage and a key backup; returns the recovery key. */
    async setUpRecovery() {
        const key = await this.crypto.createRecoveryKeyFromPassphrase();
        await this.crypto.bootstrapSecretStorage({
            createSecretStorageKey: async () => key,
            setupNewSecretStorage: true,
            setupNewKeyBackup: true,
        });
        return key;
    }

    /** Enters the recovery key: cross-signing keys and the key of the backup come out of secret storage. */
    async recover(key) {
        const id = await this.client.secretStorage.getDefaultKeyId();
        this.secrets.set(id, key.privateKey);
        await until(`${this.username} knows their public keys`, () => this.crypto.userHasCrossSigningKeys(this.userId, true));
        await this.crypto.bootstrapCrossSigning({});
        await this.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
        await this.crypto.checkKeyBackupAndEnable();
        return this.crypto.restoreKeyBackup();
    }

    /** Makes an encrypted room in which everybody is, and knows whose devices to encrypt for. */
    async createEncryptedRoom(...others) {
        const roomId = await this.createRoom({ initial_state: [ENCRYPTION] }, ...others);
        for (const one of [this, ...others]) {
            await until(`${one.username} sees encryption`, () => one.room(roomId).hasEncryptionStateEvent());
        }
        return roomId;
    }

    /** What an event says once it is decrypted. */
    async decrypts(roomId, eventId) {
        const event = await this.reads(roomId, eventId);
        await until(`${this.username} decrypts ${eventId}`, () => event.getType() === "m.room.message" && !event.isDecryptionFailure());
        assert.ok(event.isEncrypted(), "it came encrypted");
        return event.getContent().body;
    }

    /** Verifies somebody by comparing emoji, both in a room that they share; returns when both have. */
    async verifies(other, roomId) {
        const asked = new Promise((resolve) => other.client.once(CryptoEvent.VerificationRequestReceived, resolve));
        const mine = await this.crypto.requestVerificationDM(other.userId, roomId);
        await compare(mine, await asked);
    }

    /** Verifies another device of one's own by comparing emoji. */
    async verifiesOwn(other) {
        const asked = new Promise((resolve) => other.client.once(CryptoEvent.VerificationRequestReceived, resolve));
        const mine = await this.crypto.requestDeviceVerification(this.userId, other.deviceId);
        await compare(mine, await asked);
    }

    async trusts(other) {
        return (await this.crypto.getUserVerificationStatus(other.userId)).isCrossSigningVerified();
    }

    async trustsDevice(userId, deviceId) {
        return Boolean((await this.crypto.getDeviceVerificationStatus(userId, deviceId))?.crossSigningVerified);
    }
}

/** Goes through the emoji on both sides of a request, and holds them next to each other. */
async function compare(mine, theirs) {
    await theirs.accept();
    await until("the request is accepted", () => mine.phase === VerificationPhase.Ready);
    const verifier = await mine.startVerification("m.sas.v1");
    const other = theirs.verifier ?? (await new Promise((resolve) => {
        theirs.on(VerificationRequestEvent.Change, () => theirs.verifier && resolve(theirs.verifier));
    }));
    const shown = [verifier, other].map((one) => new Promise((resolve) => one.once(VerifierEvent.ShowSas, resolve)));
    const done = Promise.all([verifier.verify(), other.verify()]);
    const [left, right] = await Promise.all(shown);
    assert.deepEqual(left.sas.emoji, right.sas.emoji);
    await Promise.all([left.confirm(), right.confirm()]);
    await done;
    await until("both are done", () => [mine, theirs].every((one) => one.phase === VerificationPhase.Done));
}
