// Sharing files and pictures.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { baseUrl } from "../support/homeserver.mjs";
import { Method, Person, people } from "../support/person.mjs";
import { dimensions, png } from "../support/picture.mjs";
import { test } from "../support/runner.mjs";

/** Fetches as a client shows media: by the URL the SDK makes, with its token. */
async function fetchMedia(person, mxc, ...size) {
    const url = person.client.mxcUrlToHttp(mxc, ...(size.length ? size : [undefined, undefined, undefined]), false, true, true);
    const response = await fetch(url, { headers: { authorization: `Bearer ${person.client.getAccessToken()}` } });
    return { url, response, bytes: Buffer.from(await response.arrayBuffer()) };
}

test("a shared file arrives byte for byte, with its name and type", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const content = randomBytes(300_000);
    const { content_uri: url } = await alice.client.uploadContent(new Blob([content]), { type: "application/pdf", name: "Pläne 2.pdf" });
    assert.match(url, /^mxc:\/\/[^/]+\/[A-Za-z0-9_-]+$/);
    const { event_id: eventId } = await alice.client.sendMessage(roomId, {
        msgtype: "m.file",
        body: "Pläne 2.pdf",
        filename: "Pläne 2.pdf",
        url,
        info: { mimetype: "application/pdf", size: content.length },
    });
    const shared = (await bob.reads(roomId, eventId)).getContent();
    const { response, bytes } = await fetchMedia(bob, shared.url);
    assert.equal(response.status, 200);
    assert.ok(bytes.equals(content));
    assert.equal(response.headers.get("content-type"), "application/pdf");
    assert.match(response.headers.get("content-disposition"), /filename\*=utf-8''Pl%C3%A4ne%202\.pdf/i);
    assert.match(response.headers.get("content-security-policy"), /sandbox/);
    assert.equal(response.headers.get("cross-origin-resource-policy"), "cross-origin");
});

test("media is for those who are logged in", async () => {
    const alice = await Person.register("alice", { start: false });
    const { content_uri: mxc } = await alice.client.uploadContent(new Blob(["secret"]), { type: "text/plain" });
    const { url } = await fetchMedia(alice, mxc);
    const anonymous = await fetch(url);
    assert.equal(anonymous.status, 401);
    assert.equal((await anonymous.json()).errcode, "M_MISSING_TOKEN");
    const upload = await fetch(`${baseUrl}/_matrix/media/v3/upload`, { method: "POST", body: "anonymous" });
    assert.equal(upload.status, 401);
    const missing = await fetchMedia(alice, `mxc://${alice.client.getDomain()}/nothing`);
    assert.equal(missing.response.status, 404);
    assert.equal(JSON.parse(missing.bytes).errcode, "M_NOT_FOUND");
});

test("a picture has thumbnails, scaled and cropped", async () => {
    const [alice, bob] = await people("alice", "bob");
    const roomId = await alice.createRoom({}, bob);
    const picture = png(800, 600);
    const { content_uri: url } = await alice.client.uploadContent(new Blob([picture]), { type: "image/png", name: "sunset.png" });
    const { event_id: eventId } = await alice.client.sendImageMessage(roomId, url, { w: 800, h: 600, mimetype: "image/png", size: picture.length }, "sunset.png");
    const shared = (await bob.reads(roomId, eventId)).getContent();
    assert.equal(shared.msgtype, "m.image");

    const whole = await fetchMedia(bob, shared.url);
    assert.ok(whole.bytes.equals(picture));
    assert.match(whole.response.headers.get("content-disposition"), /^inline/);

    const scaled = await fetchMedia(bob, shared.url, 320, 240, "scale");
    assert.equal(scaled.response.status, 200);
    assert.match(scaled.response.headers.get("content-type"), /^image\/(png|jpeg|webp)$/);
    assert.deepEqual(dimensions(scaled.bytes), [320, 240]);
    const cropped = await fetchMedia(bob, shared.url, 96, 96, "crop");
    assert.deepEqual(dimensions(cropped.bytes), [96, 96]);
});

test("what is no picture has no thumbnail, and script never runs from here", async () => {
    const alice = await Person.register("alice", { start: false });
    const { content_uri: mxc } = await alice.client.uploadContent(new Blob(["<script>alert(1)</script>"]), { type: "Text/HTML", name: "x.html" });
    const { response } = await fetchMedia(alice, mxc);
    assert.match(response.headers.get("content-disposition"), /^attachment/);
    assert.match(response.headers.get("content-security-policy"), /sandbox/);
    const thumbnail = await fetchMedia(alice, mxc, 32, 32, "scale");
    assert.ok([400, 404].includes(thumbnail.response.status), `${thumbnail.response.status}`);
});

test("an address can be had before its content", async () => {
    const alice = await Person.register("alice", { start: false });
    const { content_uri: mxc } = await alice.client.http.authedRequest(Method.Post, "/create", undefined, {}, { prefix: "/_matrix/media/v1" });
    const early = await fetch(`${alice.client.mxcUrlToHttp(mxc, undefined, undefined, undefined, false, true, true)}&timeout_ms=50`, {
        headers: { authorization: `Bearer ${alice.client.getAccessToken()}` },
    });
    assert.equal(early.status, 504);
    assert.equal((await early.json()).errcode, "M_NOT_YET_UPLOADED");

    const waiting = fetchMedia(alice, mxc);
    const put = (body) =>
        fetch(`${baseUrl}/_matrix/media/v3/upload/${mxc.slice("mxc://".length)}`, {
            method: "PUT",
            body,
            headers: { authorization: `Bearer ${alice.client.getAccessToken()}`, "content-type": "text/plain" },
        });
    assert.equal((await put("here it is")).status, 200);
    assert.equal((await waiting).bytes.toString(), "here it is");
    const again = await put("something else");
    assert.equal(again.status, 409);
    assert.equal((await again.json()).errcode, "M_CANNOT_OVERWRITE_MEDIA");
});

test("the server says how large an upload may be, and means it", async () => {
    const alice = await Person.register("alice", { start: false });
    const { "m.upload.size": limit } = await alice.client.getMediaConfig(true);
    assert.ok(limit > 0);
    if (limit > 64 * 1024 * 1024) return;
    const tooMuch = new Blob([Buffer.alloc(limit + 1)]);
    const error = await alice.client.uploadContent(tooMuch, { type: "application/octet-stream" }).catch((error) => error);
    // The server need not read it all before it refuses; a client that is still sending may then see no more than a closed connection.
    assert.ok(error.httpStatus === 413 || error.name === "ConnectionError", `${error}`);
});
