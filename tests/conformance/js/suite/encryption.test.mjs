// End-to-end encryption: the server keeps keys and carries what it cannot read.

import assert from "node:assert/strict";
import { encryptingPeople } from "../support/encrypted.mjs";
import { Method } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

test("two people exchange messages that only they can read", async () => {
    const [alice, bob] = await encryptingPeople("alice", "bob");
    const roomId = await alice.createEncryptedRoom(bob);
    const first = await alice.say(roomId, "only for you");
    assert.equal(await bob.decrypts(roomId, first), "only for you");
    const second = await bob.say(roomId, "only for you, too");
    assert.equal(await alice.decrypts(roomId, second), "only for you, too");

    const raw = await alice.request(Method.Get, `/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(first)}`);
    assert.equal(raw.type, "m.room.encrypted");
    assert.ok(!JSON.stringify(raw).includes("only for you"));

    const phone = await bob.onAnotherDevice();
    await until("Alice knows of the phone", async () => (await alice.crypto.getUserDeviceInfo([bob.userId])).get(bob.userId)?.has(phone.deviceId));
    const third = await alice.say(roomId, "on every device");
    for (const one of [bob, phone]) assert.equal(await one.decrypts(roomId, third), "on every device");
});

test("who joins later reads what comes from then on", async () => {
    const [alice, bob, carol] = await encryptingPeople("alice", "bob", "carol");
    const roomId = await alice.createEncryptedRoom(bob);
    await bob.decrypts(roomId, await alice.say(roomId, "before"));
    await alice.client.invite(roomId, carol.userId);
    await carol.join(roomId);
    for (const one of [alice, bob]) await until("Carol is there", () => one.sees(roomId, carol) === "join");
    for (const one of [alice, bob]) {
        const eventId = await one.say(roomId, `hello from ${one.username}`);
        assert.equal(await carol.decrypts(roomId, eventId), `hello from ${one.username}`);
    }
});

test("cross-signing keys are set up once without a proof, and replaced with one", async () => {
    const [alice, bob] = await encryptingPeople("alice", "bob");
    await alice.setUpCrossSigning({ authUploadDeviceSigningKeys: (upload) => upload(null) });
    assert.ok(await alice.crypto.isCrossSigningReady());
    await until("her device is signed", () => alice.trustsDevice(alice.userId, alice.deviceId));
    const unproven = { setupNewCrossSigning: true, authUploadDeviceSigningKeys: (upload) => upload(null) };
    const refusal = await alice.crypto.bootstrapCrossSigning(unproven).then(() => undefined, (error) => error);
    assert.equal(refusal?.httpStatus, 401, String(refusal));
    await alice.setUpCrossSigning({ setupNewCrossSigning: true });
    const roomId = await bob.createEncryptedRoom(alice);
    await bob.say(roomId, "whose keys are these?");
    await until("Bob sees her keys", () => bob.crypto.userHasCrossSigningKeys(alice.userId, true));
});

test("two people verify each other by comparing emoji", async () => {
    const [alice, bob] = await encryptingPeople("alice", "bob");
    await Promise.all([alice.setUpCrossSigning(), bob.setUpCrossSigning()]);
    const roomId = await alice.createEncryptedRoom(bob);
    await bob.decrypts(roomId, await alice.say(roomId, "let us compare"));
    await alice.decrypts(roomId, await bob.say(roomId, "yes"));
    assert.deepEqual([await alice.trusts(bob), await bob.trusts(alice)], [false, false]);
    await alice.verifies(bob, roomId);
    for (const [one, other] of [[alice, bob], [bob, alice]]) {
        await until(`${one.username} trusts ${other.username}`, () => one.trusts(other));
        await until("and their device", () => one.trustsDevice(other.userId, other.deviceId));
    }
});

test("a new device is verified by an old one, and trusted by others", async () => {
    const [alice, bob] = await encryptingPeople("alice", "bob");
    await alice.setUpCrossSigning();
    const roomId = await alice.createEncryptedRoom(bob);
    await bob.decrypts(roomId, await alice.say(roomId, "hello"));
    const phone = await alice.onAnotherDevice();
    await until("the devices know each other", async () => {
        const [here, there] = await Promise.all([alice, phone].map((one) => one.crypto.getUserDeviceInfo([alice.userId])));
        return here.get(alice.userId)?.has(phone.deviceId) && there.get(alice.userId)?.has(alice.deviceId);
    });
    await phone.crypto.userHasCrossSigningKeys(alice.userId, true);
    await alice.verifiesOwn(phone);
    await until("the phone is signed", () => alice.trustsDevice(alice.userId, phone.deviceId));
    await until("Bob sees that she signed it", async () => {
        const devices = (await bob.crypto.getUserDeviceInfo([alice.userId], true)).get(alice.userId);
        return devices?.has(phone.deviceId) && (await bob.crypto.getDeviceVerificationStatus(alice.userId, phone.deviceId))?.signedByOwner;
    });
});

test("a new device recovers its keys and what was written before it", async () => {
    const [alice, bob] = await encryptingPeople("alice", "bob");
    await alice.setUpCrossSigning();
    const recoveryKey = await alice.setUpRecovery();
    assert.ok(await alice.crypto.isSecretStorageReady());
    const roomId = await alice.createEncryptedRoom(bob);
    const old = await bob.say(roomId, "before the phone");
    await alice.decrypts(roomId, old);
    const version = await alice.crypto.getActiveSessionBackupVersion();
    assert.ok(version);
    await until("the session is in the backup", async () => (await alice.request(Method.Get, "/room_keys/version")).count >= 1);

    alice.stop();
    const phone = await alice.onAnotherDevice();
    await until("the message is there, unread", () => phone.room(roomId)?.findEventById(old));
    const restored = await phone.recover(recoveryKey);
    assert.ok(restored.imported >= 1, `${restored.imported} imported`);
    assert.equal(await phone.decrypts(roomId, old), "before the phone");
    await until("the phone has signed itself", () => phone.trustsDevice(alice.userId, phone.deviceId));
    assert.equal(await phone.crypto.getActiveSessionBackupVersion(), version);
});

test("a message waits for somebody who is away in a device on the server", async () => {
    const [alice, bob] = await encryptingPeople("alice", "bob");
    await alice.setUpCrossSigning();
    const recoveryKey = await alice.setUpRecovery();
    assert.ok(await alice.crypto.isDehydrationSupported());
    await alice.crypto.startDehydration();
    const roomId = await alice.createEncryptedRoom(bob);
    await bob.decrypts(roomId, await alice.say(roomId, "back later"));
    await alice.client.logout(true);
    const eventId = await bob.say(roomId, "for when you are back");

    const laptop = await alice.onAnotherDevice();
    await laptop.recover(recoveryKey);
    await laptop.crypto.startDehydration();
    assert.equal(await laptop.decrypts(roomId, eventId), "for when you are back");
});
