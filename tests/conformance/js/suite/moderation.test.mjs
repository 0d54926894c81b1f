// Power levels, kicks and bans.

import assert from "node:assert/strict";
import { people, refused } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

test("power is given, used, and never more than one has", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    const roomId = await alice.createRoom({}, bob, carol);
    await refused(bob.client.setRoomName(roomId, "Bob's"), 403, "M_FORBIDDEN");
    await alice.client.setPowerLevel(roomId, bob.userId, 50);
    await until("Bob is a moderator", () => bob.room(roomId).getMember(bob.userId).powerLevel === 50);
    await bob.client.setRoomName(roomId, "Bob's");
    await until("Carol sees the name", () => carol.room(roomId).name === "Bob's");

    const levels = bob.stateContent(roomId, "m.room.power_levels");
    const raised = { ...levels, users: { ...levels.users, [bob.userId]: 100 } };
    await refused(bob.client.sendStateEvent(roomId, "m.room.power_levels", raised, ""), 403, "M_FORBIDDEN");

    await alice.client.sendStateEvent(roomId, "m.room.power_levels", { ...levels, events_default: 50 }, "");
    await until("the room is read-only", () => carol.stateContent(roomId, "m.room.power_levels").events_default === 50);
    await refused(carol.client.sendTextMessage(roomId, "psst"), 403, "M_FORBIDDEN");
    await bob.say(roomId, "an announcement");
});

test("one is kicked with a reason, and may come back when asked", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    await refused(bob.client.kick(roomId, alice.userId), 403, "M_FORBIDDEN");
    await alice.client.kick(roomId, bob.userId, "Calm down");
    const kicked = await until("Bob is out", () => bob.room(roomId).getMyMembership() === "leave" && bob.room(roomId).getMember(bob.userId));
    assert.equal(kicked.events.member.getSender(), alice.userId);
    assert.equal(kicked.events.member.getContent().reason, "Calm down");
    assert.ok(kicked.isKicked());
    await refused(bob.client.joinRoom(roomId), 403, "M_FORBIDDEN");
    await alice.client.invite(roomId, bob.userId);
    await bob.join(roomId);
    await until("Bob is back", () => alice.sees(roomId, bob) === "join");
});

test("a ban keeps one out until it is lifted", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({ preset: "public_chat" }, bob);
    await alice.client.ban(roomId, bob.userId, "Spam");
    await until("Bob is banned", () => bob.room(roomId).getMyMembership() === "ban");
    await until("Alice sees it", () => alice.sees(roomId, bob) === "ban");
    assert.equal(alice.room(roomId).getMember(bob.userId).events.member.getContent().reason, "Spam");
    await refused(bob.client.joinRoom(roomId), 403, "M_FORBIDDEN");
    await refused(alice.client.invite(roomId, bob.userId), 403, "M_FORBIDDEN");
    await alice.client.unban(roomId, bob.userId);
    await until("Alice sees it lifted", () => alice.sees(roomId, bob) === "leave");
    await bob.join(roomId);
    await until("Bob is back", () => alice.sees(roomId, bob) === "join");
});

test("a banned person sees nothing of what follows", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    await alice.client.ban(roomId, bob.userId);
    await until("Bob is banned", () => bob.room(roomId).getMyMembership() === "ban");
    await alice.say(roomId, "now we can talk");
    await alice.client.setRoomName(roomId, "Without Bob");
    await bob.caughtUp(roomId);
    assert.ok(!bob.texts(roomId).includes("now we can talk"));
    assert.notEqual((await bob.client.getStateEvent(roomId, "m.room.name", "").catch(() => ({}))).name, "Without Bob");
});

test("moderators redact what others wrote; others do not", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    const roomId = await alice.createRoom({}, bob, carol);
    const eventId = await bob.say(roomId, "something rude");
    await refused(carol.client.redactEvent(roomId, eventId), 403, "M_FORBIDDEN");
    await alice.client.redactEvent(roomId, eventId, undefined, { reason: "Be kind" });
    const event = await carol.reads(roomId, eventId);
    await until("it is gone for Carol", () => event.isRedacted());
    assert.deepEqual(event.getContent(), {});
    assert.equal(event.getRedactionEvent().content.reason, "Be kind");
});

test("an ignored person's messages and invitations stay away", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    const roomId = await alice.createRoom({}, bob, carol);
    await bob.client.setIgnoredUsers([carol.userId]);
    await carol.say(roomId, "can you hear me?");
    await alice.say(roomId, "I can");
    await until("Bob hears Alice", () => bob.texts(roomId).includes("I can"));
    assert.ok(!bob.texts(roomId).includes("can you hear me?"));
    const { room_id: other } = await carol.client.createRoom({ invite: [bob.userId] });
    await bob.caughtUp(roomId);
    assert.equal(bob.room(other), null);
});
