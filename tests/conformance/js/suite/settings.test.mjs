// What one keeps for oneself: account data, tags, push rules, filters, members loaded when needed.

import assert from "node:assert/strict";
import { Filter } from "matrix-js-sdk";
import { Method, Person, people, refused } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

test("account data reaches one's other devices, and nobody else", async () => {
    const [alice, bob] = await people("alice", "bob");
    const phone = await alice.onAnotherDevice();
    await alice.client.setAccountData("org.example.colours", { background: "green", list: [1, 2] });
    await until("the phone has it", () => phone.client.getAccountData("org.example.colours")?.getContent().background === "green");
    assert.deepEqual(await phone.client.getAccountDataFromServer("org.example.colours"), { background: "green", list: [1, 2] });
    const path = `/user/${encodeURIComponent(alice.userId)}/account_data/org.example.colours`;
    await refused(bob.request(Method.Get, path), 403, "M_FORBIDDEN");
    await refused(bob.request(Method.Put, path, { body: {} }), 403, "M_FORBIDDEN");
    await refused(alice.request(Method.Get, `/user/${encodeURIComponent(alice.userId)}/account_data/org.example.none`), 404, "M_NOT_FOUND");
    await refused(
        alice.request(Method.Put, `/user/${encodeURIComponent(alice.userId)}/account_data/m.push_rules`, { body: {} }),
        405,
        "M_BAD_JSON",
    );
});

test("rooms are tagged, and have settings of one's own", async () => {
    const [alice] = await people("alice");
    const phone = await alice.onAnotherDevice();
    const roomId = await alice.createRoom();
    await alice.client.setRoomTag(roomId, "m.favourite", { order: 0.25 });
    await alice.client.setRoomTag(roomId, "u.work", {});
    await alice.client.setRoomAccountData(roomId, "org.example.view", { compact: true });
    await until("the phone has the tags", () => phone.room(roomId)?.tags["m.favourite"]?.order === 0.25 && "u.work" in phone.room(roomId).tags);
    await until("the phone has the view", () => phone.room(roomId).getAccountData("org.example.view")?.getContent().compact);
    assert.deepEqual((await alice.client.getRoomTags(roomId)).tags, { "m.favourite": { order: 0.25 }, "u.work": {} });
    await alice.client.deleteRoomTag(roomId, "m.favourite");
    await until("the phone lost the tag", () => !("m.favourite" in phone.room(roomId).tags));
});

test("a muted room counts nothing", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    await bob.client.setRoomMutePushRule("global", roomId, true);
    await until("the rule is there", () => bob.client.getRoomPushRule("global", roomId));
    const muted = await alice.say(roomId, "psst");
    await bob.reads(roomId, muted);
    await bob.caughtUp(roomId);
    assert.equal(bob.room(roomId).getUnreadNotificationCount(), 0);
    await bob.client.setRoomMutePushRule("global", roomId, false);
    await until("the rule is gone", () => !bob.client.getRoomPushRule("global", roomId));
    const loud = await alice.say(roomId, "hello");
    await bob.reads(roomId, loud);
    await until("it counts again", () => bob.room(roomId).getUnreadNotificationCount() === 1);
});

test("push rules are added, changed, switched off and removed, and one's devices follow", async () => {
    const [alice, bob] = await people("alice", "bob");
    const phone = await bob.onAnotherDevice();
    const roomId = await alice.createRoom({}, bob);
    const rule = () => phone.client.pushRules?.global.content.find((one) => one.rule_id === "org.example.cake");
    await bob.client.addPushRule("global", "content", "org.example.cake", {
        pattern: "cake",
        actions: ["notify", { set_tweak: "highlight", value: true }],
    });
    await until("the phone has the rule", rule);
    await alice.say(roomId, "there is CAKE in the kitchen");
    await until("cake is a highlight", () => bob.room(roomId)?.getUnreadNotificationCount("highlight") === 1);

    await bob.client.setPushRuleEnabled("global", "content", "org.example.cake", false);
    await until("the phone sees it off", () => rule()?.enabled === false);
    await bob.client.setPushRuleActions("global", "content", "org.example.cake", ["notify"]);
    await until("the phone sees its actions", () => rule()?.actions.length === 1);
    await bob.client.deletePushRule("global", "content", "org.example.cake");
    await until("the phone sees it gone", () => !rule());
    await refused(bob.client.deletePushRule("global", "content", "org.example.cake"), 404, "M_NOT_FOUND");
    await refused(bob.client.setPushRuleEnabled("global", "content", "org.example.cake", true), 404, "M_NOT_FOUND");

    await bob.client.setPushRuleEnabled("global", "override", ".m.rule.master", true);
    await until("the master is on", () => phone.client.pushRules.global.override.find((one) => one.rule_id === ".m.rule.master").enabled);
    const rules = await bob.client.getPushRules();
    for (const [kind, id] of [["override", ".m.rule.is_user_mention"], ["override", ".m.rule.suppress_notices"], ["underride", ".m.rule.message"], ["override", ".m.rule.reaction"]]) {
        assert.ok(rules.global[kind].some((one) => one.rule_id === id && one.default), `${id} is there`);
    }
});

test("push rules keep the order they are given", async () => {
    const alice = await Person.register("alice", { start: false });
    const put = (id, query) =>
        alice.request(Method.Put, `/pushrules/global/override/${id}`, { query, body: { conditions: [], actions: [] } });
    const order = async () => (await alice.client.getPushRules()).global.override.map((one) => one.rule_id).filter((id) => id.length === 1);
    await put("a");
    await put("b");
    await put("c", { after: "a" });
    await put("d", { before: "b" });
    const before = await order();
    assert.equal(before.indexOf("c"), before.indexOf("a") + 1);
    assert.equal(before.indexOf("d"), before.indexOf("b") - 1);
    // Moved behind the last of its kind, where some lists end too early.
    await put("b", { after: before.at(-1) === "b" ? before.at(-2) : before.at(-1) });
    assert.equal((await order()).at(-1), "b");
    const error = await put("e", { after: "no-such-rule" }).catch((error) => error);
    assert.ok([400, 404].includes(error.httpStatus));
});

test("a filter is kept, and narrows what a client syncs", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const other = await alice.createRoom({}, bob);
    const definition = { room: { rooms: [roomId], timeline: { types: ["m.room.message"], limit: 5 } }, presence: { types: [] } };
    const filter = await bob.client.createFilter(definition);
    assert.deepEqual((await bob.client.getFilter(bob.userId, filter.filterId, false)).getDefinition(), definition);
    await refused(bob.client.getFilter(bob.userId, "999999", false), 404, "M_NOT_FOUND");

    await alice.client.sendEvent(roomId, "org.example.noise", {});
    const eventId = await alice.say(roomId, "signal");
    await alice.say(other, "elsewhere");
    const narrow = Filter.fromJson(bob.userId, undefined, definition);
    const phone = await bob.onAnotherDevice({ filter: narrow });
    await phone.reads(roomId, eventId);
    assert.deepEqual(phone.room(roomId).getLiveTimeline().getEvents().map((event) => event.getType()), ["m.room.message"]);
    assert.equal(phone.room(other), null);
    const live = await alice.say(roomId, "another");
    await phone.reads(roomId, live);
    await alice.client.sendEvent(roomId, "org.example.noise", {});
    await phone.caughtUp(roomId);
    assert.ok(phone.room(roomId).getLiveTimeline().getEvents().every((event) => event.getType() === "m.room.message"));
});

test("members are loaded when needed, and every author is known", async () => {
    const names = ["bob", "carol", "dan", "erin", "frank", "grace", "heidi", "ivan"];
    const [alice, ...others] = await Promise.all(["alice", ...names].map((name) => Person.register(name, { start: false })));
    const { room_id: roomId } = await alice.client.createRoom({ preset: "public_chat" });
    for (const other of others) await other.join(roomId);
    const last = others.at(-1);
    for (let n = 0; n < 3; n++) await last.say(roomId, `from ${last.username} ${n}`);

    const phone = await alice.onAnotherDevice({ lazyLoadMembers: true, initialSyncLimit: 3 });
    const room = phone.room(roomId);
    assert.ok(phone.client.hasLazyLoadMembersEnabled());
    const known = room.getMembers().map((member) => member.userId);
    assert.ok(known.includes(last.userId), "the author of what is shown is known");
    assert.ok(known.length < others.length, `not everybody is sent along: ${known}`);
    assert.equal(room.getJoinedMemberCount(), others.length + 1);
    assert.match(room.name, / and \d+ others$/, "the room is named after its heroes");

    const bob = others[0];
    const eventId = await bob.say(roomId, "and I?");
    const event = await phone.reads(roomId, eventId);
    assert.equal(event.sender.membership, "join");
    await phone.client.scrollback(room, 20);
    await room.loadMembersIfNeeded();
    assert.deepEqual(room.getJoinedMembers().map((member) => member.userId).sort(), [alice, ...others].map((one) => one.userId).sort());

    await others[1].client.leave(roomId);
    await until("the count follows", () => room.getJoinedMemberCount() === others.length);
});

test("pushers are set, listed and removed", async () => {
    const alice = await Person.register("alice", { start: false });
    const pusher = {
        app_id: "org.example.app",
        app_display_name: "Example",
        device_display_name: "Phone",
        kind: "http",
        lang: "en",
        pushkey: "a-key",
        data: { url: "https://push.example.org/_matrix/push/v1/notify" },
    };
    await alice.client.setPusher(pusher);
    const { pushers } = await alice.client.getPushers();
    assert.deepEqual(pushers.map((one) => [one.app_id, one.pushkey, one.kind]), [["org.example.app", "a-key", "http"]]);
    await alice.client.removePusher("a-key", "org.example.app");
    assert.deepEqual((await alice.client.getPushers()).pushers, []);
});
