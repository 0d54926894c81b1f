// The server is killed and started again: what it acknowledged is there, once.

import assert from "node:assert/strict";
import { EventStatus } from "matrix-js-sdk";
import * as server from "../support/homeserver.mjs";
import { KeptStore } from "../support/kept-store.mjs";
import { Person, people } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

test("a conversation goes on through a restart", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({ name: "Through thick and thin" }, bob);
    await bob.reads(roomId, await alice.say(roomId, "before"));
    await bob.client.sendReadReceipt(bob.room(roomId).getLiveTimeline().getEvents().at(-1));
    await bob.client.setRoomTag(roomId, "m.favourite", {});

    await server.kill();
    await server.start();
    [alice, bob].forEach((one) => one.client.retryImmediately());
    const eventId = await alice.say(roomId, "after");
    await until("Bob, who kept syncing, has it", () => bob.room(roomId).findEventById(eventId));
    assert.deepEqual(bob.texts(roomId), ["before", "after"]);

    const fresh = await bob.onAnotherDevice();
    assert.deepEqual(fresh.texts(roomId), ["before", "after"]);
    assert.equal(fresh.room(roomId).name, "Through thick and thin");
    assert.ok("m.favourite" in fresh.room(roomId).tags);
    assert.ok(fresh.room(roomId).getEventReadUpTo(bob.userId, true));
});

test("a client that was closed meanwhile resumes from its token", async () => {
    const [alice] = await people("alice");
    const bob = await Person.register("bob", { store: new KeptStore() });
    const roomId = await alice.createRoom({}, bob);
    await bob.reads(roomId, await alice.say(roomId, "before"));
    bob.stop();
    await alice.say(roomId, "unseen, then the lights went out");
    await server.kill();
    await server.start();
    const last = await alice.say(roomId, "after");
    const back = await bob.reopened();
    await back.reads(roomId, last);
    assert.deepEqual(await back.wholeConversation(roomId), ["before", "unseen, then the lights went out", "after"]);
});

test("what is being said when the server dies is said exactly once", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const said = Array.from({ length: 60 }, (_, n) => `message ${n}`);
    let dead;
    for (const [n, body] of said.entries()) {
        if (n === 30) dead = server.kill().then(server.start);
        await alice.say(roomId, body).catch(async () => {
            // The client does not know whether it got through. It asks again, as its "retry" button does.
            await dead;
            const room = alice.room(roomId);
            const pending = await until("the message is known to have failed", () =>
                [...room.getLiveTimeline().getEvents()].find((event) => event.status === EventStatus.NOT_SENT),
            );
            await alice.client.resendEvent(pending, room);
        });
    }
    await dead;
    [alice, bob].forEach((one) => one.client.retryImmediately());
    const late = await bob.onAnotherDevice();
    assert.deepEqual(await late.wholeConversation(roomId), said);
    await until("Bob, who kept syncing, is at the end", () => bob.texts(roomId).at(-1) === said.at(-1));
    assert.deepEqual(await bob.wholeConversation(roomId), said);
});

test("tokens, devices and unread counts are as they were", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    await alice.say(roomId, "one");
    await alice.say(roomId, "two", { "m.mentions": { user_ids: [bob.userId] } });
    const { devices } = await bob.client.getDevices();
    bob.stop();
    await server.kill();
    await server.start();
    assert.equal((await bob.client.whoami()).device_id, bob.deviceId);
    assert.deepEqual((await bob.client.getDevices()).devices.map((device) => device.device_id), devices.map((device) => device.device_id));
    const phone = await bob.onAnotherDevice();
    assert.equal(phone.room(roomId).getRoomUnreadNotificationCount("total"), 2);
    assert.equal(phone.room(roomId).getRoomUnreadNotificationCount("highlight"), 1);
});
