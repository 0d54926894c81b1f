// Somebody who uses Matrix through matrix-js-sdk. The tests read as what people do.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { MatrixError, Method, TimelineWindow, createClient } from "matrix-js-sdk";
import { baseUrl } from "./homeserver.mjs";
import { until } from "./waiting.mjs";

const running = new Set();

/** Closes all clients that are running. */
export function everybodyGoesHome() {
    running.forEach((client) => client.stopClient());
    running.clear();
}

const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, getChild: () => quiet };

/** A client of nobody yet, for the calls that need no login. */
export const visitor = (options = {}) => createClient({ baseUrl, disableVoip: true, timelineSupport: true, logger: quiet, ...options });

/** Several people at once, logged in and syncing. */
export const people = (...names) => Promise.all(names.map((name) => Person.register(name)));

export class Person {
    /** A new account with a running client; `start: false` leaves the client standing. */
    static async register(name, { start = true, ...options } = {}) {
        const username = `${name}-${randomBytes(4).toString("hex")}`;
        const password = `${name} has a password`;
        const login = await visitor().registerRequest({ username, password, auth: { type: "m.login.dummy" } });
        const person = new this(login, username, password, options.store);
        return start ? await person.start(options) : person;
    }

    constructor({ user_id: userId, device_id: deviceId, access_token: accessToken }, username, password, store) {
        Object.assign(this, { userId, deviceId, username, password, store });
        this.client = visitor({ userId, deviceId, accessToken, store, ...this.clientOptions });
    }

    /** What the client is made with besides. */
    get clientOptions() {
        return {};
    }

    /** Lets the client sync; returns when its first sync is done. */
    async start({ store: _, ...options } = {}) {
        running.add(this.client);
        await this.client.startClient({ initialSyncLimit: 20, threadSupport: true, pollTimeout: 10_000, ...options });
        await until(`${this.username}'s first sync is done`, () => this.client.getSyncState() !== null && this.client.isInitialSyncComplete());
        return this;
    }

    /** Closes the client, as one closes a browser. */
    stop() {
        running.delete(this.client);
        this.client.stopClient();
    }

    /** The same account on another device. */
    async onAnotherDevice({ start = true, ...options } = {}) {
        const other = new this.constructor(await this.logIn(options.login), this.username, this.password, options.store);
        return start ? await other.start(options) : other;
    }

    /** The same device, its client opened anew; with a store that is kept it goes on where it was. */
    async reopened({ start = true, ...options } = {}) {
        const session = { user_id: this.userId, device_id: this.deviceId, access_token: this.client.getAccessToken() };
        const again = new this.constructor(session, this.username, this.password, this.store?.reopened());
        return start ? await again.start(options) : again;
    }

    logIn(more = {}) {
        return logIn(this.username, this.password, more);
    }

    /** The authentication of a password for user-interactive flows. */
    passwordStage(session) {
        return { type: "m.login.password", identifier: { type: "m.id.user", user: this.userId }, password: this.password, session };
    }

    /** What the SDK has no method for. */
    request(method, path, { query, body, prefix = "/_matrix/client/v3" } = {}) {
        return this.client.http.authedRequest(method, path, query, body, { prefix });
    }

    /** Makes a room; the others are invited and join. Returns its id when everybody has it on screen. */
    async createRoom(options = {}, ...others) {
        const invite = others.map((other) => other.userId);
        const { room_id: roomId } = await this.client.createRoom({ preset: "private_chat", ...options, invite });
        for (const other of others) await other.join(roomId);
        const everybody = [this, ...others];
        for (const one of everybody) {
            if (!one.client.clientRunning) continue;
            await until(`${one.username} sees everybody in ${roomId}`, () => everybody.every((each) => one.sees(roomId, each) === "join"));
        }
        return roomId;
    }

    async join(roomId, options) {
        await this.client.joinRoom(roomId, { syncRoom: false, ...options });
    }

    room(roomId) {
        return this.client.getRoom(roomId);
    }

    /** The membership this client shows for somebody. */
    sees(roomId, other) {
        return this.room(roomId)?.getMember(other.userId)?.membership;
    }

    async say(roomId, body, more = {}) {
        const { event_id: eventId } = await this.client.sendMessage(roomId, { msgtype: "m.text", body, ...more });
        return eventId;
    }

    /**
     * Answers in a thread. Not through the SDK's local echo: it takes offence when a sync brings an answer before the
     * request that sent it has returned.
     */
    async answer(roomId, root, body, more = {}) {
        const content = { msgtype: "m.text", body, "m.relates_to": { rel_type: "m.thread", event_id: root }, ...more };
        const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${this.client.makeTxnId()}`;
        const { event_id: eventId } = await this.request(Method.Put, path, { body: content });
        return eventId;
    }

    /** The event as it stands in this client's timeline (threads included), once it is there. */
    reads(roomId, eventId) {
        return until(`${this.username} has ${eventId}`, () => this.room(roomId)?.findEventById(eventId));
    }

    /** What the timeline on screen says, oldest first. */
    texts(roomId) {
        return texts(this.room(roomId)?.getLiveTimeline().getEvents() ?? []);
    }

    /** Scrolls up to the start of the room, as a person does; gives every event there is, oldest first. */
    async wholeTimeline(roomId, page = 30) {
        const window = new TimelineWindow(this.client, this.room(roomId).getUnfilteredTimelineSet(), { windowLimit: 100_000 });
        await window.load();
        while (await window.paginate("b", page));
        return window.getEvents();
    }

    /** What the whole room says, oldest first. */
    async wholeConversation(roomId, page) {
        return texts(await this.wholeTimeline(roomId, page));
    }

    stateContent(roomId, type, key = "") {
        return this.room(roomId)?.currentState.getStateEvents(type, key)?.getContent();
    }

    /** Waits for one more whole `/sync`: what was sent before it has arrived. */
    async caughtUp(roomId) {
        const marker = `caught up ${randomBytes(4).toString("hex")}`;
        await this.client.setAccountData("test.marker", { marker });
        await until(`${this.username} is caught up`, () => this.client.getAccountData("test.marker")?.getContent().marker === marker);
        return this.room(roomId);
    }
}

export const logIn = (username, password, more = {}) =>
    visitor().loginRequest({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: username },
        password,
        ...more,
    });

export const texts = (events) =>
    events.filter((event) => event.getType() === "m.room.message" && !event.isRedacted()).map((event) => event.getContent().body);

/** Asserts that the server refuses, with this status and errcode; returns the error. */
export async function refused(promise, status, errcode) {
    const error = await promise.then(
        (answer) => assert.fail(`expected ${status} ${errcode}, got ${JSON.stringify(answer)}`),
        (error) => error,
    );
    if (!(error instanceof MatrixError)) throw error;
    assert.deepEqual([error.httpStatus, error.errcode], [status, errcode], error.message);
    assert.ok(error.data.error, "an error carries a sentence for people");
    return error;
}

export { Method };
