// Talking: messages, and what relates to them.

import assert from "node:assert/strict";
import { Method, Person, people, refused } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

const once = (list) => assert.equal(new Set(list).size, list.length, `something came twice: ${list}`);

test("two people talk, in order", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const said = [];
    for (let n = 0; n < 5; n++) {
        for (const [one, other] of [[alice, bob], [bob, alice]]) {
            said.push(`${one === alice ? "Alice" : "Bob"} ${n}`);
            await other.reads(roomId, await one.say(roomId, said.at(-1)));
        }
    }
    for (const one of [alice, bob]) {
        await until("everything is there", () => one.texts(roomId).length === said.length);
        assert.deepEqual(one.texts(roomId), said);
    }
});

test("any text arrives as it was written", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const bodies = ["Grüße, Здравствуйте, 你好, שלום", "👩‍👩‍👧‍👦 🏳️‍🌈", "line\nline\ttab \u0001 \"quotes\" \\ back", "</script><b>", " ", "x".repeat(40_000)];
    for (const body of bodies) {
        const eventId = await alice.say(roomId, body);
        assert.equal((await bob.reads(roomId, eventId)).getContent().body, body);
    }
    await alice.client.sendHtmlMessage(roomId, "bold", "<b>bold</b>");
    await alice.client.sendEmoteMessage(roomId, "waves");
    const { event_id: notice } = await alice.client.sendNotice(roomId, "the robot speaks");
    assert.equal((await bob.reads(roomId, notice)).getContent().msgtype, "m.notice");
    const { event_id: own } = await alice.client.sendEvent(roomId, "org.example.move", { from: "e2", to: "e4", nested: { list: [1, null, true, "x"] } });
    assert.deepEqual((await bob.reads(roomId, own)).getContent(), { from: "e2", to: "e4", nested: { list: [1, null, true, "x"] } });
});

test("what is too large or malformed is refused", async () => {
    const [alice] = await people("alice");
    const roomId = await alice.createRoom();
    await refused(alice.client.sendTextMessage(roomId, "x".repeat(70_000)), 413, "M_TOO_LARGE");
    await refused(alice.client.sendEvent(roomId, "org.example.float", { value: 1.5 }), 400, "M_BAD_JSON");
    await refused(alice.client.sendEvent(roomId, "org.example.big", { value: 2 ** 60 }), 400, "M_BAD_JSON");
});

test("an outsider neither reads nor writes", async () => {
    const [alice, eve] = await people("alice", "eve");
    const roomId = await alice.createRoom();
    const eventId = await alice.say(roomId, "between us");
    await refused(eve.client.sendTextMessage(roomId, "hello"), 403, "M_FORBIDDEN");
    await refused(eve.client.createMessagesRequest(roomId, null, 10, "b"), 403, "M_FORBIDDEN");
    await refused(eve.client.fetchRoomEvent(roomId, eventId), 404, "M_NOT_FOUND");
    const elsewhere = await eve.createRoom();
    await refused(eve.client.fetchRoomEvent(elsewhere, eventId), 404, "M_NOT_FOUND");
    const around = await eve.request(Method.Get, `/rooms/${elsewhere}/context/${eventId}`).catch((error) => error);
    assert.equal(around.httpStatus, 404);
});

test("a sent message replaces its local echo, and a repeated request sends nothing twice", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const phone = await alice.onAnotherDevice();
    const { event_id: eventId } = await alice.client.sendTextMessage(roomId, "only once", "my-transaction");
    const echo = await until("the echo is replaced", () => alice.room(roomId).getLiveTimeline().getEvents().find((event) => event.getId() === eventId && !event.status));
    assert.equal(echo.getUnsigned().transaction_id, "my-transaction");

    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/my-transaction`;
    const again = await alice.request(Method.Put, path, { body: { msgtype: "m.text", body: "only once" } });
    assert.equal(again.event_id, eventId);
    const other = await phone.request(Method.Put, path, { body: { msgtype: "m.text", body: "from the phone" } });
    assert.notEqual(other.event_id, eventId, "transaction IDs belong to a device");

    await bob.reads(roomId, other.event_id);
    assert.deepEqual(bob.texts(roomId), ["only once", "from the phone"]);
    assert.equal(bob.room(roomId).findEventById(eventId).getUnsigned().transaction_id, undefined);
    await phone.reads(roomId, other.event_id);
    assert.equal(phone.room(roomId).findEventById(eventId).getUnsigned().transaction_id, undefined);
    await alice.reads(roomId, other.event_id);
    assert.deepEqual(alice.texts(roomId), ["only once", "from the phone"]);
});

test("many at once are all kept, each once", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const send = (who, n) => {
        const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${n}`;
        return who.request(Method.Put, path, { body: { msgtype: "m.text", body: `${who.username} ${n}` } });
    };
    const sent = await Promise.all(Array.from({ length: 40 }, (_, n) => [send(alice, n), send(bob, n)]).flat());
    once(sent.map(({ event_id: id }) => id));
    const last = await alice.say(roomId, "that was all");
    await bob.reads(roomId, last);
    const late = await alice.onAnotherDevice({ initialSyncLimit: 5 });
    const [his, hers] = [await bob.wholeConversation(roomId), await late.wholeConversation(roomId, 17)];
    once(his);
    assert.equal(his.length, sent.length + 1);
    assert.deepEqual(hers, his, "who scrolls back sees the order that others saw come in");
});

test("an edit shows the new text, and the server hands it out with the message", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const eventId = await alice.say(roomId, "helo");
    await bob.reads(roomId, eventId);
    const edit = async (body) =>
        alice.say(roomId, `* ${body}`, {
            "m.new_content": { msgtype: "m.text", body },
            "m.relates_to": { rel_type: "m.replace", event_id: eventId },
        });
    await edit("hell");
    const lastEdit = await edit("hello");
    await until("Bob sees the edit", () => bob.room(roomId).findEventById(eventId).getContent().body === "hello");

    const served = await bob.client.fetchRoomEvent(roomId, eventId);
    assert.equal(served.unsigned["m.relations"]["m.replace"].event_id, lastEdit);
    assert.equal(served.content.body, "helo", "the original keeps its content");
    const { chunk } = await bob.client.createMessagesRequest(roomId, null, 20, "b");
    const listed = chunk.find((event) => event.event_id === eventId);
    assert.equal(listed.unsigned["m.relations"]["m.replace"].event_id, lastEdit);

    const late = await bob.onAnotherDevice();
    assert.equal((await late.reads(roomId, eventId)).getContent().body, "hello");
});

test("reactions are counted once a person, and taken back", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const eventId = await alice.say(roomId, "cake?");
    const react = (one, key) =>
        one.client.sendEvent(roomId, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key } });
    const { event_id: reaction } = await react(bob, "🎂");
    await react(alice, "🎂");
    await react(bob, "👍");
    await refused(react(bob, "🎂"), 400, "M_DUPLICATE_ANNOTATION");

    const shown = () =>
        Object.fromEntries(
            alice.room(roomId).relations.getChildEventsForEvent(eventId, "m.annotation", "m.reaction")
                ?.getSortedAnnotationsByKey().map(([key, events]) => [key, events.size]) ?? [],
        );
    await until("Alice sees three", () => shown()["🎂"] === 2 && shown()["👍"] === 1);

    const listed = await alice.client.fetchRelations(roomId, eventId, "m.annotation", "m.reaction");
    assert.equal(listed.chunk.length, 3);
    await bob.client.redactEvent(roomId, reaction);
    await until("one is gone", () => shown()["🎂"] === 1);
    assert.equal((await alice.client.fetchRelations(roomId, eventId, "m.annotation", "m.reaction")).chunk.length, 2);
    await react(bob, "🎂");
});

test("a redacted message is empty for everybody, now and later", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const eventId = await alice.say(roomId, "a secret");
    await bob.reads(roomId, eventId);
    const { event_id: redaction } = await alice.client.redactEvent(roomId, eventId, undefined, { reason: "oops" });
    await until("it is gone for Bob", () => bob.room(roomId).findEventById(eventId).isRedacted());

    const served = await bob.client.fetchRoomEvent(roomId, eventId);
    assert.deepEqual(served.content, {});
    assert.equal(served.unsigned.redacted_because.event_id, redaction);
    assert.equal(served.unsigned.redacted_because.content.reason, "oops");
    const { chunk } = await bob.client.createMessagesRequest(roomId, null, 20, "b");
    assert.ok(!JSON.stringify(chunk).includes("a secret"));
    const late = await bob.onAnotherDevice();
    assert.ok((await late.reads(roomId, eventId)).isRedacted());
    await refused(bob.client.redactEvent(roomId, "$unknown:event"), 404, "M_NOT_FOUND").catch((error) => {
        // Some servers let one redact what they do not know, as federation must.
        if (!error.message.includes("expected 404")) throw error;
    });
});

test("a reply knows what it answers", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const question = await alice.say(roomId, "tea?");
    const answer = await bob.say(roomId, "please", { "m.relates_to": { "m.in_reply_to": { event_id: question } } });
    const event = await alice.reads(roomId, answer);
    assert.equal(event.replyEventId, question);
});

test("a thread stands beside the room, with its count and last answer", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const root = await alice.say(roomId, "about the roof");
    const answers = [];
    for (const [one, body] of [[bob, "it leaks"], [alice, "since when?"], [bob, "since Monday"]]) {
        answers.push(await one.answer(roomId, root, body));
        await alice.reads(roomId, answers.at(-1));
    }
    await alice.say(roomId, "lunch!");
    for (const one of [alice, bob]) {
        const thread = await until("the thread is there", () => one.room(roomId).getThread(root));
        await until("it has its answers", () => thread.length === 3 && thread.replyToEvent?.getId() === answers[2]);
        await until("the room has its own", () => one.texts(roomId).includes("lunch!"));
        assert.deepEqual(one.texts(roomId), ["about the roof", "lunch!"]);
    }

    const served = await bob.client.fetchRoomEvent(roomId, root);
    const summary = served.unsigned["m.relations"]["m.thread"];
    assert.equal(summary.count, 3);
    assert.equal(summary.latest_event.event_id, answers[2]);
    assert.equal(summary.current_user_participated, true);

    const listed = await bob.client.createThreadListMessagesRequest(roomId, null, 10, "b");
    assert.deepEqual(listed.chunk.map((event) => event.event_id), [root]);
    const relations = await bob.client.fetchRelations(roomId, root, "m.thread", null, { dir: "f" });
    assert.deepEqual(relations.chunk.map((event) => event.event_id), answers);

    const late = await bob.onAnotherDevice();
    const thread = await until("a new device knows the thread", () => late.room(roomId)?.getThread(root));
    await until("and its count", () => thread.length === 3);
});

test("scrolling back to the start gives every message exactly once", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({ name: "Long talk" }, bob);
    const said = [];
    for (let n = 0; n < 90; n++) {
        said.push(`message ${n}`);
        await (n % 3 ? alice : bob).say(roomId, said.at(-1));
        if (n % 20 === 0) await alice.client.setRoomTopic(roomId, `topic ${n}`);
    }
    const late = await bob.onAnotherDevice({ initialSyncLimit: 7 });
    assert.ok(late.texts(roomId).length <= 7);
    assert.deepEqual(await late.wholeConversation(roomId, 11), said);
    const events = await late.wholeTimeline(roomId);
    assert.equal(events[0].getType(), "m.room.create");
    once(events.map((event) => event.getId()));
    assert.equal(late.stateContent(roomId, "m.room.topic").topic, "topic 80");
});

test("one reads forward and around an old message", async () => {
    const [alice] = await people("alice");
    const roomId = await alice.createRoom();
    const ids = [];
    for (let n = 0; n < 30; n++) ids.push(await alice.say(roomId, `${n}`));
    const context = await alice.request(Method.Get, `/rooms/${encodeURIComponent(roomId)}/context/${encodeURIComponent(ids[15])}`, { query: { limit: 6 } });
    assert.equal(context.event.event_id, ids[15]);
    assert.deepEqual(context.events_before.map((event) => event.event_id), [ids[14], ids[13], ids[12]]);
    assert.deepEqual(context.events_after.map((event) => event.event_id), [ids[16], ids[17], ids[18]]);
    assert.ok(context.state.some((event) => event.type === "m.room.create"));
    const after = await alice.client.createMessagesRequest(roomId, context.end, 5, "f");
    assert.deepEqual(after.chunk.map((event) => event.event_id), ids.slice(19, 24));
    const before = await alice.client.createMessagesRequest(roomId, context.start, 5, "b");
    assert.deepEqual(before.chunk.map((event) => event.event_id), ids.slice(7, 12).reverse());

    const forward = [];
    let from = null;
    do {
        const page = await alice.client.createMessagesRequest(roomId, from, 7, "f");
        forward.push(...page.chunk.map((event) => event.content.body).filter((body) => body !== undefined));
        from = page.chunk.length ? page.end : undefined;
    } while (from);
    assert.deepEqual(forward, ids.map((_, n) => `${n}`));

    const timeline = await alice.client.getEventTimeline((await alice.onAnotherDevice({ initialSyncLimit: 1 })).room(roomId).getUnfilteredTimelineSet(), ids[3]);
    assert.ok(timeline.getEvents().some((event) => event.getId() === ids[3]));
});

test("a page can be narrowed by a filter and still reaches the start", async () => {
    const alice = await Person.register("alice", { start: false });
    const { room_id: roomId } = await alice.client.createRoom({});
    for (let n = 0; n < 25; n++) {
        await alice.client.sendEvent(roomId, n % 5 ? "org.example.noise" : "m.room.message", { msgtype: "m.text", body: `${n}` });
    }
    const seen = [];
    let from;
    for (let pages = 0; pages < 40; pages++) {
        const page = await alice.request(Method.Get, `/rooms/${encodeURIComponent(roomId)}/messages`, {
            query: { dir: "b", limit: 2, filter: JSON.stringify({ types: ["m.room.message"] }), ...(from && { from }) },
        });
        seen.push(...page.chunk.map((event) => event.content.body));
        from = page.end;
        if (!from) break;
    }
    assert.equal(from, undefined, "the end says that it is the end");
    assert.deepEqual(seen, ["20", "15", "10", "5", "0"]);
});
