// Going away and coming back: nothing is lost, nothing comes twice.

import assert from "node:assert/strict";
import { KeptStore } from "../support/kept-store.mjs";
import { Person, people } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

const keeping = (name) => Person.register(name, { store: new KeptStore() });

test("who comes back after a short while reads on where they were", async () => {
    const [alice] = await people("alice");
    const bob = await keeping("bob");
    const roomId = await alice.createRoom({}, bob);
    await bob.reads(roomId, await alice.say(roomId, "before"));
    bob.stop();
    await alice.say(roomId, "while you were away 1");
    await alice.client.setRoomName(roomId, "A new name");
    const last = await alice.say(roomId, "while you were away 2");

    const back = await bob.reopened();
    await back.reads(roomId, last);
    assert.deepEqual(await back.wholeConversation(roomId), ["before", "while you were away 1", "while you were away 2"]);
    assert.equal(back.room(roomId).name, "A new name");
    await back.reads(roomId, await alice.say(roomId, "welcome back"));
});

test("who was away for long gets the end first and the rest by scrolling", async () => {
    const [alice] = await people("alice");
    const bob = await keeping("bob");
    const roomId = await alice.createRoom({}, bob);
    const said = ["before"];
    await bob.reads(roomId, await alice.say(roomId, "before"));
    bob.stop();
    // The name changes in the gap: it is in no timeline that the sync shows, and must be in its state.
    for (let n = 0; n < 60; n++) {
        if (n === 10) await alice.client.setRoomName(roomId, "Changed in the gap");
        said.push(`message ${n}`);
        await alice.say(roomId, said.at(-1));
    }
    const back = await bob.reopened({ initialSyncLimit: 10 });
    await until("the last is there", () => back.texts(roomId).at(-1) === "message 59");
    assert.ok(back.texts(roomId).length <= 20, "the gap is not filled unasked");
    assert.equal(back.room(roomId).name, "Changed in the gap");
    assert.deepEqual(await back.wholeConversation(roomId, 13), said);
    await back.reads(roomId, await alice.say(roomId, "welcome back"));
});

test("what happened to one's rooms meanwhile is known at once", async () => {
    const [alice] = await people("alice");
    const bob = await keeping("bob");
    const [kicked, left, invited, joined] = await Promise.all([
        alice.createRoom({ name: "kicked" }, bob),
        alice.createRoom({ name: "left" }, bob),
        alice.createRoom({ name: "invited" }),
        alice.createRoom({ name: "joined", preset: "public_chat" }),
    ]);
    const phone = await bob.onAnotherDevice({ start: false });
    bob.stop();
    await alice.client.kick(kicked, bob.userId, "bye");
    await phone.client.leave(left);
    await alice.client.invite(invited, bob.userId);
    await phone.join(joined);
    await phone.client.setRoomTag(joined, "m.favourite", {});
    const last = await phone.say(joined, "from the phone");

    const back = await bob.reopened();
    await until("all is known", () => back.room(joined)?.getMyMembership() === "join" && back.room(invited)?.getMyMembership() === "invite");
    await until("the rooms left are left", () => [kicked, left].every((id) => back.room(id).getMyMembership() === "leave"));
    assert.equal(back.room(kicked).getMember(bob.userId).events.member.getContent().reason, "bye");
    assert.equal(back.room(invited).name, "invited");
    await back.reads(joined, last);
    assert.ok("m.favourite" in back.room(joined).tags);
});

test("an invitation declined elsewhere is gone", async () => {
    const [alice] = await people("alice");
    const bob = await keeping("bob");
    const roomId = await alice.createRoom();
    await alice.client.invite(roomId, bob.userId);
    await until("Bob is asked in", () => bob.room(roomId)?.getMyMembership() === "invite");
    bob.stop();
    const phone = await bob.onAnotherDevice({ start: false });
    await phone.client.leave(roomId);
    const back = await bob.reopened();
    await until("it is declined", () => back.room(roomId)?.getMyMembership() !== "invite");
});

test("who leaves and comes back sees the room whole again", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({ preset: "public_chat", name: "Revolving door" }, bob);
    await bob.reads(roomId, await alice.say(roomId, "first stay"));
    await bob.client.leave(roomId);
    await until("Bob is out", () => bob.room(roomId).getMyMembership() === "leave");
    await alice.say(roomId, "while Bob is out");
    await alice.client.setRoomTopic(roomId, "changed while Bob was out");
    await bob.join(roomId);
    await until("Bob is back", () => bob.room(roomId).getMyMembership() === "join");
    await bob.reads(roomId, await alice.say(roomId, "second stay"));
    assert.equal(bob.stateContent(roomId, "m.room.topic").topic, "changed while Bob was out");
    assert.deepEqual(await bob.wholeConversation(roomId), ["first stay", "while Bob is out", "second stay"]);
});

test("unread counts survive being away", async () => {
    const [alice] = await people("alice");
    const bob = await keeping("bob");
    const roomId = await alice.createRoom({}, bob);
    await bob.caughtUp(roomId);
    bob.stop();
    for (let n = 0; n < 40; n++) await alice.say(roomId, `unread ${n}`);
    const back = await bob.reopened({ initialSyncLimit: 5 });
    await until(`forty are unread`, () => back.room(roomId).getUnreadNotificationCount() === 40);
});

test("to-device messages wait for a device that is away", async () => {
    const [alice] = await people("alice");
    const bob = await keeping("bob");
    await bob.caughtUp();
    bob.stop();
    const send = (body) => alice.client.sendToDevice("org.example.ping", new Map([[bob.userId, new Map([[bob.deviceId, { body }]])]]));
    const sent = Array.from({ length: 5 }, (_, n) => `ping ${n}`);
    for (const body of sent) await send(body);
    const back = await bob.reopened({ start: false });
    const got = [];
    back.client.on("toDeviceEvent", (event) => got.push(event.getContent().body));
    await back.start();
    await until("all five came", () => got.length >= sent.length);
    await back.caughtUp();
    assert.deepEqual(got, sent);
});
