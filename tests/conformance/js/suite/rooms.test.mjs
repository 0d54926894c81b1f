// Making rooms, finding them, and the ways in and out.

import assert from "node:assert/strict";
import { Method, Person, people, refused } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

const alias = () => `room-${Math.random().toString(36).slice(2, 10)}`;

test("a public room is found in the directory and joined by its alias", async () => {
    const [alice, bob] = await people("alice", "bob");
    const localpart = alias();
    const { room_id: roomId } = await alice.client.createRoom({
        preset: "public_chat",
        visibility: "public",
        room_alias_name: localpart,
        name: `The square ${localpart}`,
        topic: "Everybody is welcome",
    });
    const fullAlias = `#${localpart}:${alice.client.getDomain()}`;
    assert.equal((await bob.client.getRoomIdForAlias(fullAlias)).room_id, roomId);
    assert.equal((await bob.client.getRoomDirectoryVisibility(roomId)).visibility, "public");

    const found = await bob.client.publicRooms({ limit: 10, filter: { generic_search_term: localpart } });
    assert.deepEqual(found.chunk.map((room) => room.room_id), [roomId]);
    const [listed] = found.chunk;
    assert.equal(listed.topic, "Everybody is welcome");
    assert.equal(listed.canonical_alias, fullAlias);
    assert.equal(listed.num_joined_members, 1);
    assert.equal(listed.join_rule ?? "public", "public");
    assert.equal(listed.world_readable, false);
    assert.equal(listed.guest_can_join, false);

    await bob.join(fullAlias);
    await until("both are in", () => [alice, bob].every((one) => one.sees(roomId, bob) === "join"));
    assert.equal(bob.room(roomId).name, `The square ${localpart}`);

    await alice.client.setRoomDirectoryVisibility(roomId, "private");
    const gone = await bob.client.publicRooms({ filter: { generic_search_term: localpart } });
    assert.equal(gone.chunk.length, 0);
});

test("the directory comes in pages, largest room first", async () => {
    const alice = await Person.register("alice", { start: false });
    const word = alias();
    for (let n = 0; n < 3; n++) {
        await alice.client.createRoom({ preset: "public_chat", visibility: "public", name: `${word} ${n}` });
    }
    const seen = [];
    let since;
    do {
        const page = await alice.client.publicRooms({ limit: 2, since, filter: { generic_search_term: word } });
        assert.ok(page.chunk.length <= 2);
        seen.push(...page.chunk.map((room) => room.name));
        since = page.next_batch;
    } while (since);
    assert.deepEqual(seen.sort(), [0, 1, 2].map((n) => `${word} ${n}`));
});

test("nobody enters a private room uninvited", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({ name: "Just us" });
    await refused(bob.client.joinRoom(roomId), 403, "M_FORBIDDEN");

    await alice.client.invite(roomId, bob.userId, { reason: "Come in" });
    const invited = await until("Bob is asked in", () => bob.room(roomId));
    assert.equal(invited.getMyMembership(), "invite");
    assert.equal(invited.name, "Just us");
    assert.equal(invited.getMember(bob.userId).events.member.getSender(), alice.userId);
    assert.equal(invited.getMember(bob.userId).events.member.getContent().reason, "Come in");
    assert.equal(invited.getJoinRule(), "invite");

    await bob.join(roomId);
    await until("Alice sees Bob", () => alice.sees(roomId, bob) === "join");
    await until("Bob is in", () => bob.room(roomId).getMyMembership() === "join");
});

test("an invitation can be declined, and withdrawn", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom();
    await alice.client.invite(roomId, bob.userId);
    await until("Bob is asked in", () => bob.room(roomId)?.getMyMembership() === "invite");
    await bob.client.leave(roomId);
    await until("Alice sees it", () => alice.sees(roomId, bob) === "leave");

    await alice.client.invite(roomId, bob.userId);
    await until("Bob is asked in again", () => bob.room(roomId)?.getMyMembership() === "invite");
    await alice.client.kick(roomId, bob.userId);
    await until("Bob sees it withdrawn", () => bob.room(roomId)?.getMyMembership() === "leave");
    await refused(bob.client.joinRoom(roomId), 403, "M_FORBIDDEN");
});

test("a room starts as its maker asked", async () => {
    const [alice, bob] = await people("alice", "bob");
    const { room_id: roomId } = await alice.client.createRoom({
        preset: "private_chat",
        name: "Plans",
        topic: "What next?",
        creation_content: { "m.federate": false },
        initial_state: [
            { type: "m.room.history_visibility", state_key: "", content: { history_visibility: "joined" } },
            { type: "org.example.settings", state_key: "colour", content: { value: "green" } },
        ],
        power_level_content_override: { events_default: 7, users: { [bob.userId]: 60 } },
        invite: [bob.userId],
    });
    await bob.join(roomId);
    await until("Bob is in", () => bob.sees(roomId, bob) === "join");
    assert.equal(bob.room(roomId).name, "Plans");
    assert.equal(bob.stateContent(roomId, "m.room.topic").topic, "What next?");
    assert.equal(bob.stateContent(roomId, "m.room.create")["m.federate"], false);
    assert.equal(bob.stateContent(roomId, "m.room.history_visibility").history_visibility, "joined");
    assert.equal(bob.stateContent(roomId, "org.example.settings", "colour").value, "green");
    assert.equal(bob.stateContent(roomId, "m.room.guest_access").guest_access, "can_join");
    assert.equal(bob.stateContent(roomId, "m.room.power_levels").events_default, 7);
    assert.equal(bob.room(roomId).getMember(bob.userId).powerLevel, 60);
});

test("a direct chat says so in its invitation", async () => {
    const [alice, bob] = await people("alice", "bob");
    const { room_id: roomId } = await alice.client.createRoom({
        preset: "trusted_private_chat",
        is_direct: true,
        invite: [bob.userId],
    });
    const room = await until("Bob is asked in", () => bob.room(roomId));
    assert.equal(room.getDMInviter(), alice.userId);
    await alice.client.setAccountData("m.direct", { [bob.userId]: [roomId] });
    assert.deepEqual(alice.client.getAccountData("m.direct").getContent(), { [bob.userId]: [roomId] });
    await bob.join(roomId);
    await until("Bob is in", () => bob.sees(roomId, bob) === "join");
    assert.equal(bob.room(roomId).getJoinRule(), "invite");
    assert.ok(bob.room(roomId).currentState.maySendStateEvent("m.room.power_levels", bob.userId), "both are equals");
});

test("an unnamed room is called after the others in it", async () => {
    const [alice, bob] = await people("alice", "bob");
    await alice.client.setDisplayName("Alice Liddell");
    await bob.client.setDisplayName("Bob the Builder");
    const roomId = await alice.createRoom({}, bob);
    await until("Alice's list names it", () => alice.room(roomId).name === "Bob the Builder");
    await until("Bob's list names it", () => bob.room(roomId).name === "Alice Liddell");
});

test("aliases are added, listed, taken once, and removed by those who may", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const name = `#${alias()}:${alice.client.getDomain()}`;
    await refused(alice.client.getRoomIdForAlias(name), 404, "M_NOT_FOUND");
    await alice.client.createAlias(name, roomId);
    await refused(alice.client.createAlias(name, roomId), 409, "M_UNKNOWN");
    assert.deepEqual((await bob.client.getLocalAliases(roomId)).aliases, [name]);

    await alice.client.sendStateEvent(roomId, "m.room.canonical_alias", { alias: name }, "");
    await until("Bob sees the alias", () => bob.room(roomId).getCanonicalAlias() === name);
    const other = `#${alias()}:${alice.client.getDomain()}`;
    await refused(
        alice.client.sendStateEvent(roomId, "m.room.canonical_alias", { alias: other }, ""),
        400,
        "M_BAD_ALIAS",
    );

    await refused(bob.client.deleteAlias(name), 403, "M_FORBIDDEN");
    await alice.client.deleteAlias(name);
    await refused(bob.client.getRoomIdForAlias(name), 404, "M_NOT_FOUND");
    const taken = alias();
    await alice.client.createRoom({ room_alias_name: taken });
    await refused(alice.client.createRoom({ room_alias_name: taken }), 400, "M_ROOM_IN_USE");
});

test("name, topic and picture change for everybody", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    await alice.client.setRoomName(roomId, "The kitchen");
    await alice.client.setRoomTopic(roomId, "Who cooks?", "<b>Who cooks?</b>");
    await alice.client.sendStateEvent(roomId, "m.room.avatar", { url: "mxc://localhost/picture" }, "");
    await until("Bob sees the name", () => bob.room(roomId).name === "The kitchen");
    await until("Bob sees the topic", () => bob.stateContent(roomId, "m.room.topic")?.topic === "Who cooks?");
    await until("Bob sees the picture", () => bob.room(roomId).getMxcAvatarUrl() === "mxc://localhost/picture");
    assert.deepEqual((await bob.client.getStateEvent(roomId, "m.room.name", "")).name, "The kitchen");
    await refused(bob.client.setRoomName(roomId, "Mine"), 403, "M_FORBIDDEN");
    await refused(bob.client.getStateEvent(roomId, "m.room.nothing", ""), 404, "M_NOT_FOUND");
});

test("who leaves is out, and who forgets has no trace", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({ name: "Passing through" }, bob);
    await alice.say(roomId, "stay a while");
    await refused(bob.client.forget(roomId, false), 400, "M_UNKNOWN");
    await bob.client.leave(roomId);
    await until("Alice sees Bob leave", () => alice.sees(roomId, bob) === "leave");
    await until("Bob's list says so", () => bob.room(roomId).getMyMembership() === "leave");
    await refused(bob.client.sendTextMessage(roomId, "one more thing"), 403, "M_FORBIDDEN");
    assert.ok(!(await bob.client.getJoinedRooms()).joined_rooms.includes(roomId));

    const eventId = await alice.say(roomId, "Bob is gone");
    const past = await bob.client.createMessagesRequest(roomId, null, 50, "b");
    assert.ok(past.chunk.some((event) => event.content.body === "stay a while"), "the time together stays readable");
    assert.ok(!past.chunk.some((event) => event.event_id === eventId), "what came after does not");
    await refused(bob.client.fetchRoomEvent(roomId, eventId), 404, "M_NOT_FOUND");

    await bob.client.forget(roomId);
    const fresh = await bob.onAnotherDevice({ includeArchivedRooms: true });
    assert.equal(fresh.room(roomId), null);
    await refused(bob.client.createMessagesRequest(roomId, null, 50, "b"), 403, "M_FORBIDDEN");
});

test("left rooms are shown to clients that ask for them", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({ name: "Once" }, bob);
    await alice.say(roomId, "remember this");
    await bob.caughtUp(roomId);
    await bob.client.leave(roomId);
    const other = await bob.onAnotherDevice({ start: false });
    await other.start();
    assert.equal(other.room(roomId), null);
    const rooms = await other.client.syncLeftRooms();
    const left = rooms.find((room) => room.roomId === roomId);
    assert.equal(left.getMyMembership(), "leave");
    assert.equal(left.name, "Once");
});

test("one knocks, is let in, or is not", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    const roomId = await alice.createRoom({
        name: "Behind a door",
        initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } }],
    });
    await bob.client.knockRoom(roomId, { reason: "It is raining" });
    await until("Alice hears Bob", () => alice.sees(roomId, bob) === "knock");
    assert.equal(alice.room(roomId).getMember(bob.userId).events.member.getContent().reason, "It is raining");
    await until("Bob waits at the door", () => bob.room(roomId)?.getMyMembership() === "knock");
    assert.equal(bob.room(roomId).name, "Behind a door");
    await refused(bob.client.joinRoom(roomId), 403, "M_FORBIDDEN");
    await alice.client.invite(roomId, bob.userId);
    await bob.join(roomId);
    await until("Bob is in", () => bob.room(roomId).getMyMembership() === "join");

    await carol.client.knockRoom(roomId);
    await until("Alice hears Carol", () => alice.sees(roomId, carol) === "knock");
    await alice.client.kick(roomId, carol.userId, "Not today");
    await until("Carol is told", () => carol.room(roomId)?.getMyMembership() === "leave");

    const closed = await alice.createRoom();
    await refused(bob.client.knockRoom(closed), 403, "M_FORBIDDEN");
});

test("members of one room may enter another that allows them", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    const club = await alice.createRoom({ name: "Club" }, bob);
    const { room_id: cellar } = await alice.client.createRoom({
        name: "Cellar",
        initial_state: [
            {
                type: "m.room.join_rules",
                state_key: "",
                content: { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: club }] },
            },
        ],
    });
    await refused(carol.client.joinRoom(cellar), 403, "M_FORBIDDEN");
    await bob.join(cellar);
    const membership = await until("Alice sees Bob", () => alice.sees(cellar, bob) === "join" && alice.room(cellar).getMember(bob.userId));
    assert.equal(membership.events.member.getContent().join_authorised_via_users_server, alice.userId);
});

test("an upgraded room leads to its successor", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    const localpart = alias();
    const old = await alice.createRoom(
        { room_version: "10", name: "Old house", topic: "Moving soon", preset: "public_chat", room_alias_name: localpart },
        bob,
        carol,
    );
    await alice.client.setPowerLevel(old, bob.userId, 50);
    await alice.client.ban(old, `@troll:${alice.client.getDomain()}`);
    await alice.say(old, "we are moving");
    const { replacement_room: next } = await alice.client.upgradeRoom(old, "11");

    const tombstone = await until("Bob sees the tombstone", () => bob.stateContent(old, "m.room.tombstone"));
    assert.equal(tombstone.replacement_room, next);
    assert.equal((await bob.client.getRoomIdForAlias(`#${localpart}:${alice.client.getDomain()}`)).room_id, next);
    await bob.join(next);
    await until("Bob is in the new house", () => bob.room(next)?.getMyMembership() === "join");
    await until("Bob sees its name", () => bob.room(next).name === "Old house");
    assert.equal(bob.room(next).getVersion(), "11");
    assert.equal(bob.room(next).findPredecessor().roomId, old);
    assert.equal(bob.stateContent(next, "m.room.topic").topic, "Moving soon");
    assert.equal(bob.room(next).getMember(bob.userId).powerLevel, 50);
    assert.equal((await bob.client.getStateEvent(next, "m.room.member", `@troll:${alice.client.getDomain()}`)).membership, "ban");
    await until("the old house is closed", () => carol.stateContent(old, "m.room.power_levels").events_default === 50);
    await refused(carol.client.sendTextMessage(old, "anybody here?"), 403, "M_FORBIDDEN");
    await refused(alice.client.upgradeRoom(next, "no-such-version"), 400, "M_UNSUPPORTED_ROOM_VERSION");
});

test("version 12: the maker stands above all power levels", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({ room_version: "12" }, bob);
    assert.match(roomId, /^![A-Za-z0-9_-]{43}$/, "the room is called after its create event");
    assert.equal(bob.room(roomId).getVersion(), "12");
    const levels = await bob.client.getStateEvent(roomId, "m.room.power_levels", "");
    assert.ok(!(alice.userId in (levels.users ?? {})));
    await alice.client.setPowerLevel(roomId, bob.userId, 100);
    await until("Bob is promoted", () => bob.room(roomId).getMember(bob.userId).powerLevel === 100);
    await refused(bob.client.kick(roomId, alice.userId), 403, "M_FORBIDDEN");
});

test("every room version from 6 to 12 carries a conversation", async () => {
    const [alice, bob] = await people("alice", "bob");
    const { "m.room_versions": offered } = await alice.client.getCapabilities();
    for (const version of ["6", "7", "8", "9", "10", "11", "12"]) {
        assert.ok(offered.available[version], `version ${version} is offered`);
        const roomId = await alice.createRoom({ room_version: version }, bob);
        const eventId = await alice.say(roomId, `hello from ${version}`);
        assert.equal((await bob.reads(roomId, eventId)).getContent().body, `hello from ${version}`);
    }
    await refused(alice.client.createRoom({ room_version: "99" }), 400, "M_UNSUPPORTED_ROOM_VERSION");
});

test("members are told to members only, and as they were at a token", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    const roomId = await alice.createRoom({}, bob);
    const before = alice.client.store.getSyncToken();
    await bob.client.leave(roomId);
    await until("Alice sees Bob leave", () => alice.sees(roomId, bob) === "leave");
    const joined = async (...rest) =>
        (await alice.client.members(roomId, ...rest)).chunk.filter((m) => m.content.membership === "join").map((m) => m.state_key).sort();
    assert.deepEqual(await joined(), [alice.userId]);
    assert.deepEqual(await joined(undefined, undefined, before), [alice.userId, bob.userId].sort());
    assert.deepEqual((await alice.client.members(roomId, "leave")).chunk.map((m) => m.state_key), [bob.userId]);
    assert.deepEqual((await alice.client.members(roomId, undefined, "leave")).chunk.map((m) => m.state_key), [alice.userId]);
    assert.deepEqual(Object.keys((await alice.client.getJoinedRoomMembers(roomId)).joined), [alice.userId]);
    await refused(carol.client.members(roomId), 403, "M_FORBIDDEN");
    await refused(carol.client.roomState(roomId), 403, "M_FORBIDDEN");
    await refused(carol.client.getJoinedRoomMembers(roomId), 403, "M_FORBIDDEN");
});

test("history is shown as far as the room allows", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    const visible = async (visibility, reader) => {
        const roomId = await alice.createRoom({
            initial_state: [{ type: "m.room.history_visibility", state_key: "", content: { history_visibility: visibility } }],
        });
        await alice.say(roomId, "before the invitation");
        await alice.client.invite(roomId, reader.userId);
        await alice.say(roomId, "before the join");
        await reader.join(roomId);
        await alice.say(roomId, "together");
        const { chunk } = await reader.client.createMessagesRequest(roomId, null, 50, "b");
        return chunk.map((event) => event.content.body).filter(Boolean).reverse();
    };
    assert.deepEqual(await visible("shared", bob), ["before the invitation", "before the join", "together"]);
    assert.deepEqual(await visible("invited", bob), ["before the join", "together"]);
    assert.deepEqual(await visible("joined", bob), ["together"]);

    const open = await alice.createRoom({
        initial_state: [{ type: "m.room.history_visibility", state_key: "", content: { history_visibility: "world_readable" } }],
    });
    await alice.say(open, "read me");
    const { chunk } = await carol.client.createMessagesRequest(open, null, 50, "b");
    assert.ok(chunk.some((event) => event.content.body === "read me"));
});

test("a space holds rooms", async () => {
    const [alice, bob] = await people("alice", "bob");
    const space = await alice.createRoom({ name: "The office", creation_content: { type: "m.space" } }, bob);
    const roomId = await alice.createRoom({ name: "First floor" }, bob);
    await alice.client.sendStateEvent(space, "m.space.child", { via: [alice.client.getDomain()], suggested: true }, roomId);
    await alice.client.sendStateEvent(roomId, "m.space.parent", { via: [alice.client.getDomain()], canonical: true }, space);
    await until("Bob sees the child", () => bob.stateContent(space, "m.space.child", roomId)?.suggested);
    assert.ok(bob.room(space).isSpaceRoom());
});

test("a room that is not there is no secret", async () => {
    const alice = await Person.register("alice", { start: false });
    const nowhere = `!nowhere:${alice.client.getDomain()}`;
    await refused(alice.client.sendTextMessage(nowhere, "hello?"), 403, "M_FORBIDDEN");
    await refused(alice.client.roomState(nowhere), 403, "M_FORBIDDEN");
    const { joined_rooms: none } = await alice.request(Method.Get, "/joined_rooms");
    assert.deepEqual(none, []);
});
