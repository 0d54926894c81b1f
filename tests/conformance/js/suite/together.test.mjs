// Seeing each other: typing, receipts, unread counts, profiles, presence.

import assert from "node:assert/strict";
import { ReceiptType } from "matrix-js-sdk";
import { Method, people, refused } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

test("one sees the other type, stop, and fall silent", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const typing = () => bob.room(roomId).getMember(alice.userId).typing;
    await alice.client.sendTyping(roomId, true, 30_000);
    await until("Bob sees Alice type", typing);
    await alice.client.sendTyping(roomId, false, 0);
    await until("Bob sees Alice stop", () => !typing());

    await alice.client.sendTyping(roomId, true, 700);
    await until("Bob sees Alice type again", typing);
    await until("it ends by itself", () => !typing());

    await refused(
        bob.request(Method.Put, `/rooms/${encodeURIComponent(roomId)}/typing/${encodeURIComponent(alice.userId)}`, { body: { typing: true, timeout: 1000 } }),
        403,
        "M_FORBIDDEN",
    );
    const elsewhere = await bob.createRoom();
    await refused(alice.client.sendTyping(elsewhere, true, 1000), 403, "M_FORBIDDEN");
});

test("a read mark reaches the writer and the reader's other devices", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const first = await alice.say(roomId, "one");
    const second = await alice.say(roomId, "two");
    const read = () => alice.room(roomId).getEventReadUpTo(bob.userId, true);
    await bob.client.sendReadReceipt(await bob.reads(roomId, first));
    await until("Alice sees how far Bob read", () => read() === first);
    await bob.client.sendReadReceipt(await bob.reads(roomId, second));
    await until("Alice sees Bob go on", () => read() === second);

    await bob.client.setRoomReadMarkers(roomId, second, await bob.reads(roomId, second));
    const phone = await bob.onAnotherDevice();
    assert.equal(phone.room(roomId).getAccountData("m.fully_read").getContent().event_id, second);
    assert.equal(phone.room(roomId).getEventReadUpTo(bob.userId, true), second);
});

test("a private read mark stays private", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const eventId = await alice.say(roomId, "read this");
    const phone = await bob.onAnotherDevice();
    await bob.client.sendReadReceipt(await bob.reads(roomId, eventId), ReceiptType.ReadPrivate);
    await until("Bob's phone knows", () => phone.room(roomId).getEventReadUpTo(bob.userId) === eventId);
    await until("Bob's count is down", () => phone.room(roomId).getUnreadNotificationCount() === 0);
    await alice.caughtUp(roomId);
    const elsewhere = await alice.onAnotherDevice();
    for (const one of [alice, elsewhere]) {
        assert.notEqual(one.room(roomId).getEventReadUpTo(bob.userId, true), eventId);
    }
});

test("unread messages and mentions are counted, and reading clears them", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    await alice.say(roomId, "one");
    await alice.say(roomId, "two");
    const last = await alice.say(roomId, "and you?", { "m.mentions": { user_ids: [bob.userId] } });
    const counts = (one) => [one.room(roomId).getRoomUnreadNotificationCount("total"), one.room(roomId).getRoomUnreadNotificationCount("highlight")];
    await bob.reads(roomId, last);
    const phone = await bob.onAnotherDevice();
    for (const one of [bob, phone]) {
        await until(`three and one, not ${counts(one)}`, () => counts(one).join() === "3,1");
    }
    await bob.client.sendReadReceipt(await bob.reads(roomId, last));
    await until("Bob has read all", () => counts(bob).join() === "0,0");
    await until("his phone knows", () => counts(phone).join() === "0,0");

    await bob.say(roomId, "me too");
    await alice.reads(roomId, (await bob.caughtUp(roomId)).getLiveTimeline().getEvents().at(-1).getId());
    assert.deepEqual(counts(bob), [0, 0], "what one says oneself is read");
});

test("a thread has counts and read marks of its own", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const root = await alice.say(roomId, "a thread?");
    await bob.client.sendReadReceipt(await bob.reads(roomId, root), ReceiptType.Read, true);
    await until("nothing is unread", () => bob.room(roomId).getRoomUnreadNotificationCount() === 0);
    await alice.answer(roomId, root, "one");
    const last = await alice.answer(roomId, root, "two", { "m.mentions": { user_ids: [bob.userId] } });
    const answer = await bob.reads(roomId, last);
    const counts = (one) => ["total", "highlight"].map((kind) => one.room(roomId).getThreadUnreadNotificationCount(root, kind)).join();
    const fresh = await bob.onAnotherDevice();
    for (const one of [bob, fresh]) await until(`two in the thread, not ${counts(one)}`, () => counts(one) === "2,1");
    assert.equal(fresh.room(roomId).getRoomUnreadNotificationCount(), 0);

    await until("the thread is known", () => bob.room(roomId).getThread(root));
    await bob.client.sendReadReceipt(answer);
    for (const one of [bob, fresh]) await until("the thread is read", () => counts(one) === "0,0");
});

test("a new name and picture show in rooms", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    await alice.client.setDisplayName("Alice 🐇");
    await alice.client.setAvatarUrl("mxc://localhost/rabbit");
    const member = () => bob.room(roomId).getMember(alice.userId);
    await until("Bob sees her name", () => member().rawDisplayName === "Alice 🐇");
    await until("Bob sees her picture", () => member().getMxcAvatarUrl() === "mxc://localhost/rabbit");
    assert.deepEqual(await bob.client.getProfileInfo(alice.userId), { displayname: "Alice 🐇", avatar_url: "mxc://localhost/rabbit" });
    assert.equal(member().membership, "join");

    const { room_id: later } = await alice.client.createRoom({ invite: [bob.userId] });
    await bob.join(later);
    await until("the name goes with her into new rooms", () => bob.room(later)?.getMember(alice.userId)?.rawDisplayName === "Alice 🐇");
    await refused(bob.client.getProfileInfo(`@nobody:${bob.client.getDomain()}`), 404, "M_NOT_FOUND");
    await refused(
        bob.request(Method.Put, `/profile/${encodeURIComponent(alice.userId)}/displayname`, { body: { displayname: "Mallory" } }),
        403,
        "M_FORBIDDEN",
    );
});

test("profiles hold fields of any kind", async () => {
    const [alice, bob] = await people("alice", "bob");
    assert.equal(await alice.client.doesServerSupportExtendedProfiles(), true);
    await alice.client.setExtendedProfileProperty("m.tz", "Europe/Berlin");
    await alice.client.setExtendedProfileProperty("org.example.team", { name: "Roof", floor: 3 });
    assert.equal(await bob.client.getExtendedProfileProperty(alice.userId, "m.tz"), "Europe/Berlin");
    const all = await bob.client.getExtendedProfile(alice.userId);
    assert.deepEqual(all["org.example.team"], { name: "Roof", floor: 3 });
    await alice.client.deleteExtendedProfileProperty("org.example.team");
    assert.equal(await bob.client.getExtendedProfileProperty(alice.userId, "org.example.team"), undefined);
});

test("one sees who is there, and what they say about it", async () => {
    const [alice, bob] = await people("alice", "bob");
    await alice.createRoom({}, bob);
    // Else her client's next sync might say that she is there after all, before Bob has looked.
    await alice.client.setSyncPresence("unavailable");
    await alice.client.setPresence({ presence: "unavailable", status_msg: "at lunch" });
    const shown = () => bob.client.getUser(alice.userId);
    await until("Bob sees Alice at lunch", () => shown()?.presence === "unavailable" && shown().presenceStatusMsg === "at lunch");
    assert.equal((await bob.client.getPresence(alice.userId)).status_msg, "at lunch");
    await alice.client.setSyncPresence("online");
    await alice.client.setPresence({ presence: "online", status_msg: "back" });
    await until("Bob sees her back", () => shown().presence === "online" && shown().presenceStatusMsg === "back");
    alice.stop();
    await alice.client.setPresence({ presence: "offline" });
    await until("Bob sees her gone", () => shown().presence === "offline");
    const stranger = (await people("carol"))[0];
    await refused(stranger.client.getPresence(alice.userId), 403, "M_FORBIDDEN");
});

test("a message to devices arrives once, at the device it was sent to", async () => {
    const [alice, bob] = await people("alice", "bob");
    const phone = await bob.onAnotherDevice();
    const got = { bob: [], phone: [] };
    bob.client.on("toDeviceEvent", (event) => got.bob.push(event.getContent().body));
    phone.client.on("toDeviceEvent", (event) => got.phone.push(event.getContent().body));
    const send = (device, body) => alice.client.sendToDevice("org.example.ping", new Map([[bob.userId, new Map([[device, { body }]])]]));
    await send(phone.deviceId, "phone only");
    await send("*", "everywhere");
    await until("both have theirs", () => got.phone.length === 2 && got.bob.length === 1);
    await bob.caughtUp();
    await phone.caughtUp();
    assert.deepEqual(got, { bob: ["everywhere"], phone: ["phone only", "everywhere"] });
});
