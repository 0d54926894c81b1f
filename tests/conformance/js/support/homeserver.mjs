// The server under test: where it is, and its life in our hands.

import assert from "node:assert/strict";

/** Its address, for instance `http://127.0.0.1:8008`. */
export const baseUrl = setting("HOMESERVER_URL");

/** Kills it as `kill -9` does: no goodbye, no last write. */
export const kill = () => command("kill");

/** Starts it again on the data it had, and returns when it answers. */
export const start = () => command("start");

async function command(name) {
    const response = await fetch(new URL(name, setting("HOMESERVER_CONTROL")), { method: "POST" });
    assert.ok(response.ok, `the server's keeper cannot ${name} it: ${await response.text()}`);
}

function setting(name) {
    const value = process.env[name];
    assert.ok(value, `${name} is not set; README.md tells how to run the suite`);
    return value;
}
