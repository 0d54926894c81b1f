// Accounts, logins, tokens and devices.

import assert from "node:assert/strict";
import { HttpApiEvent } from "matrix-js-sdk";
import { Method, Person, logIn, refused, visitor } from "../support/person.mjs";
import { test } from "../support/runner.mjs";
import { until } from "../support/waiting.mjs";

test("the server says how one logs in, and what it speaks", async () => {
    const { flows } = await visitor().loginFlows();
    assert.ok(flows.some((flow) => flow.type === "m.login.password"));
    const { versions } = await visitor().getVersions();
    assert.ok(versions.includes("v1.11"), `authenticated media needs v1.11, got ${versions}`);
});

test("somebody registers, logs out and logs in again", async () => {
    const alice = await Person.register("alice", { start: false });
    assert.equal((await alice.client.whoami()).user_id, alice.userId);
    assert.equal((await alice.client.whoami()).device_id, alice.deviceId);
    const spent = visitor({ accessToken: alice.client.getAccessToken(), userId: alice.userId });

    await alice.client.logout();
    const error = await refused(spent.whoami(), 401, "M_UNKNOWN_TOKEN");
    assert.ok(!error.data.soft_logout, "a logout is meant");

    const again = await alice.onAnotherDevice({ start: false });
    assert.equal((await again.client.whoami()).user_id, alice.userId);
});

test("a wrong password and an unknown person are refused alike", async () => {
    const alice = await Person.register("alice", { start: false });
    const wrong = await refused(logIn(alice.username, "guessed"), 403, "M_FORBIDDEN");
    const unknown = await refused(logIn("nobody-of-this-name", "guessed"), 403, "M_FORBIDDEN");
    assert.equal(wrong.data.error, unknown.data.error, "the answer must not tell which accounts exist");
});

test("one logs in with the whole user ID too, and with capitals in the name", async () => {
    const alice = await Person.register("alice", { start: false });
    assert.equal((await logIn(alice.userId, alice.password)).user_id, alice.userId);
    assert.equal((await logIn(alice.username.toUpperCase(), alice.password)).user_id, alice.userId);
});

test("a username is given once", async () => {
    const alice = await Person.register("alice", { start: false });
    assert.equal(await visitor().isUsernameAvailable(alice.username), false);
    assert.equal(await visitor().isUsernameAvailable(`${alice.username}-2`), true);
    const second = { username: alice.username, password: "another one", auth: { type: "m.login.dummy" } };
    await refused(visitor().registerRequest(second), 400, "M_USER_IN_USE");
    await refused(visitor().registerRequest({ ...second, username: "not a name!" }), 400, "M_INVALID_USERNAME");
});

test("registration asks for its stages first", async () => {
    const error = await visitor()
        .registerRequest({ username: "somebody-new", password: "a good password" })
        .catch((error) => error);
    assert.equal(error.httpStatus, 401);
    assert.ok(error.data.session);
    assert.ok(error.data.flows.some(({ stages }) => stages.length === 1 && stages[0] === "m.login.dummy"));
});

test("no token and a made-up token are told apart", async () => {
    await refused(visitor({ accessToken: "made-up", userId: "@a:b" }).whoami(), 401, "M_UNKNOWN_TOKEN");
    await refused(visitor().http.request(Method.Get, "/account/whoami"), 401, "M_MISSING_TOKEN");
});

test("devices are listed, renamed, and deleted with the password", async () => {
    const alice = await Person.register("alice", { start: false });
    const phone = await alice.onAnotherDevice({ start: false, login: { initial_device_display_name: "Phone" } });
    const tablet = await alice.onAnotherDevice({ start: false });
    const listed = async () => (await alice.client.getDevices()).devices.map((device) => device.device_id).sort();
    assert.deepEqual(await listed(), [alice.deviceId, phone.deviceId, tablet.deviceId].sort());

    assert.equal((await alice.client.getDevice(phone.deviceId)).display_name, "Phone");
    await alice.client.setDeviceDetails(phone.deviceId, { display_name: "Old phone" });
    assert.equal((await alice.client.getDevice(phone.deviceId)).display_name, "Old phone");

    const challenge = await alice.client.deleteDevice(phone.deviceId).catch((error) => error);
    assert.equal(challenge.httpStatus, 401);
    assert.ok(challenge.data.flows.some(({ stages }) => stages.includes("m.login.password")));
    const wrong = { ...alice.passwordStage(challenge.data.session), password: "guessed" };
    const denied = await alice.client.deleteDevice(phone.deviceId, wrong).catch((error) => error);
    assert.equal(denied.httpStatus, 401);
    assert.equal(denied.errcode, "M_FORBIDDEN");
    assert.ok(denied.data.flows, "one may try again");
    await alice.client.deleteDevice(phone.deviceId, alice.passwordStage(challenge.data.session));
    await refused(phone.client.whoami(), 401, "M_UNKNOWN_TOKEN");
    await refused(alice.client.getDevice(phone.deviceId), 404, "M_NOT_FOUND");

    const { session } = (await alice.client.deleteMultipleDevices([tablet.deviceId]).catch((error) => error)).data;
    await alice.client.deleteMultipleDevices([tablet.deviceId], alice.passwordStage(session));
    assert.deepEqual(await listed(), [alice.deviceId]);
});

test("logging in on a device again keeps the device and ends its old session", async () => {
    const alice = await Person.register("alice", { start: false });
    const again = await alice.onAnotherDevice({ start: false, login: { device_id: alice.deviceId } });
    assert.equal(again.deviceId, alice.deviceId);
    await refused(alice.client.whoami(), 401, "M_UNKNOWN_TOKEN");
    assert.equal((await again.client.getDevices()).devices.length, 1);
});

test("one logs out everywhere", async () => {
    const alice = await Person.register("alice", { start: false });
    const phone = await alice.onAnotherDevice({ start: false });
    await alice.request(Method.Post, "/logout/all", { body: {} });
    await refused(alice.client.whoami(), 401, "M_UNKNOWN_TOKEN");
    await refused(phone.client.whoami(), 401, "M_UNKNOWN_TOKEN");
});

test("a changed password ends the other sessions, and the old one opens nothing", async () => {
    const alice = await Person.register("alice", { start: false });
    const phone = await alice.onAnotherDevice({ start: false });
    const { session } = (await alice.client.setPassword(null, "a brand new one").catch((error) => error)).data;
    await alice.client.setPassword(alice.passwordStage(session), "a brand new one");
    await alice.client.whoami();
    await refused(phone.client.whoami(), 401, "M_UNKNOWN_TOKEN");
    await refused(logIn(alice.username, alice.password), 403, "M_FORBIDDEN");
    await logIn(alice.username, "a brand new one");
});

test("a deactivated account is closed for ever", async () => {
    const alice = await Person.register("alice", { start: false });
    const spent = visitor({ accessToken: alice.client.getAccessToken(), userId: alice.userId });
    const { session } = (await alice.client.deactivateAccount().catch((error) => error)).data;
    await alice.client.deactivateAccount(alice.passwordStage(session));
    await refused(spent.whoami(), 401, "M_UNKNOWN_TOKEN");
    const error = await logIn(alice.username, alice.password).catch((error) => error);
    assert.equal(error.httpStatus, 403);
    const again = { username: alice.username, password: "another one", auth: { type: "m.login.dummy" } };
    await refused(visitor().registerRequest(again), 400, "M_USER_IN_USE");
});

test("a token that expired is refreshed, and the session goes on", async () => {
    const alice = await Person.register("alice", { start: false });
    const login = await alice.logIn({ refresh_token: true });
    assert.ok(login.expires_in_ms <= 5000, `run the suite with short-lived access tokens, not ${login.expires_in_ms} ms`);
    const client = visitor({ userId: alice.userId, deviceId: login.device_id, accessToken: login.access_token });

    const expired = await until("the token has expired", () => client.whoami().then(() => null, (error) => error));
    assert.equal(expired.errcode, "M_UNKNOWN_TOKEN");
    assert.equal(expired.data.soft_logout, true, "the client should refresh, not throw away its keys");

    const fresh = await client.refreshToken(login.refresh_token);
    assert.notEqual(fresh.access_token, login.access_token);
    client.setAccessToken(fresh.access_token);
    assert.equal((await client.whoami()).device_id, login.device_id);

    const newer = await client.refreshToken(fresh.refresh_token);
    client.setAccessToken(newer.access_token);
    await client.whoami();
    await refused(client.refreshToken(login.refresh_token), 401, "M_UNKNOWN_TOKEN");
});

test("a soft logout reaches a running client, which then goes on with a new token", async () => {
    const alice = await Person.register("alice", { start: false });
    const login = await alice.logIn({ refresh_token: true });
    const phone = new Person(login, alice.username, alice.password);
    let heard;
    phone.client.on(HttpApiEvent.SessionLoggedOut, (error) => (heard = error));
    await phone.start({ pollTimeout: 100 });
    const error = await until("the client hears of its soft logout", () => heard);
    assert.equal(error.data.soft_logout, true);

    const again = await alice.logIn({ device_id: login.device_id });
    assert.equal(again.device_id, login.device_id);
});

test("a logged-in device lets another in with a short-lived token", async () => {
    const alice = await Person.register("alice", { start: false });
    const { session } = (await alice.client.requestLoginToken().catch((error) => error)).data;
    const { login_token: token } = await alice.client.requestLoginToken(alice.passwordStage(session));
    const other = await visitor().loginRequest({ type: "m.login.token", token });
    assert.equal(other.user_id, alice.userId);
    const error = await visitor().loginRequest({ type: "m.login.token", token }).catch((error) => error);
    assert.equal(error.httpStatus, 403, "a login token works once");
});
