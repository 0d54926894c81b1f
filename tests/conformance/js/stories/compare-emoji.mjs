// A device of somebody's verifies, or is verified by, another of theirs that is no client of this SDK: the browser's, in tests/browser.
//
//     compare-emoji.mjs USER PASSWORD asked|asks [METHODS]
//
// METHODS are those it says it knows, with commas between them: all of the SDK's, unless they are given.
// Tells what happens in lines of JSON: {"ready":…}, {"emoji":[…]}, {"done":…}. Confirms the emoji when a line comes in.

import { createInterface } from "node:readline";
import { CryptoEvent, VerificationPhase, VerificationRequestEvent, VerifierEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { EncryptingPerson } from "../support/encrypted.mjs";
import { logIn } from "../support/person.mjs";
import { until } from "../support/waiting.mjs";

const PATIENCE_MS = 90_000;
const [username, password, role, methods] = process.argv.slice(2);
const tell = (what) => console.log(JSON.stringify(what));
const lines = createInterface({ input: process.stdin });
// Whoever started this is gone.
lines.once("close", () => process.exit(1));
const answered = new Promise((resolve) => lines.once("line", resolve));

/** A device that knows so many ways to verify. */
class Device extends EncryptingPerson {
    get clientOptions() {
        return { ...super.clientOptions, ...(methods && { verificationMethods: methods.split(",") }) };
    }
}

const person = new Device(await logIn(username, password), username, password);
const asked = new Promise((resolve) => person.client.once(CryptoEvent.VerificationRequestReceived, resolve));
await person.start();

let request;
if (role === "asked") {
    // The first device: it holds the keys.
    await person.setUpCrossSigning();
    await person.setUpRecovery();
    tell({ ready: person.deviceId });
    request = await asked;
    await request.accept();
} else {
    await until("the keys of the account are known", () => person.crypto.userHasCrossSigningKeys(person.userId, true));
    tell({ ready: person.deviceId });
    request = await person.crypto.requestOwnUserVerification();
    await until("the other device begins", () => request.phase === VerificationPhase.Ready, PATIENCE_MS);
    await request.startVerification("m.sas.v1");
}
const verifier = request.verifier ?? (await new Promise((resolve) => {
    request.on(VerificationRequestEvent.Change, () => request.verifier && resolve(request.verifier));
}));
// Told no more once it is over.
const other = request.otherDeviceId;
const shown = new Promise((resolve) => verifier.once(VerifierEvent.ShowSas, resolve));
const verified = verifier.verify();
const { sas, confirm } = await shown;
tell({ emoji: sas.emoji.map(([, name]) => name) });
await answered;
await confirm();
await verified;
await until("both are done", () => request.phase === VerificationPhase.Done, PATIENCE_MS);
await until("the other device is trusted", () => person.trustsDevice(person.userId, other));
tell({ done: other });
process.exit(0);
