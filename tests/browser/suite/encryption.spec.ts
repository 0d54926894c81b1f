import type { Browser, BrowserContextOptions, Page } from "@playwright/test";

import { Camera } from "../support/camera.ts";
import { Companion } from "../support/companion.ts";
import { type Orvale, PASSWORD } from "../support/orvale.ts";
import { expect, go, logIn, test, violations } from "../support/test.ts";

async function another(browser: Browser, user: string, address: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", baseURL: address, ...options });
  const page = await context.newPage();
  await logIn(page, user);
  return page;
}

/** Two people with a conversation of their own. */
async function twoPeople(orvale: Orvale, one: string, other: string) {
  const [first, second] = await Promise.all([orvale.register(one), orvale.register(other)]);
  const { room_id } = await orvale.ask<{ room_id: string }>("/_matrix/client/v3/createRoom", {
    token: first.access_token,
    body: { is_direct: true, invite: [second.user_id], preset: "trusted_private_chat" },
  });
  await orvale.ask(`/_matrix/client/v3/join/${encodeURIComponent(room_id)}`, { method: "POST", token: second.access_token, body: {} });
  const direct = (me: { user_id: string; access_token: string }, them: { user_id: string }) =>
    orvale.ask(`/_matrix/client/v3/user/${encodeURIComponent(me.user_id)}/account_data/m.direct`, {
      method: "PUT",
      token: me.access_token,
      body: { [them.user_id]: [room_id] },
    });
  await Promise.all([direct(first, second), direct(second, first)]);
  return { first, second, roomId: room_id };
}

const screen = (page: Page, name: string) => page.screenshot({ path: `../artifacts/screens/encryption-${name}.png` });

const field = (page: Page) => page.getByRole("textbox", { name: /^Message to/ });
const message = (page: Page, text: string | RegExp) => page.getByRole("article").filter({ hasText: text }).last();

async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press("Enter");
  await expect(message(page, text)).toHaveAttribute("data-event-id", /^\$/);
}

/** Waits until a device of somebody has keys: before, nobody can write to it. */
async function canBeWrittenTo(orvale: Orvale, token: string, userId: string): Promise<void> {
  const keys = async () => {
    const body = { device_keys: { [userId]: [] } };
    const { device_keys } = await orvale.ask<{ device_keys: Record<string, object> }>("/_matrix/client/v3/keys/query", { token, body });
    return Object.keys(device_keys[userId] ?? {}).length;
  };
  await expect.poll(keys).toBeGreaterThan(0);
}

/** A GIF of two frames, each a pixel of another colour. */
const BLINKING = Buffer.from(
  "474946383961010001008000" + "00ff00000000ff" + "21ff0b4e45545343415045322e300301000000" +
    "21f9040401000000" + "2c00000000010001000002024401" + "00" + "21f9040401000000" + "2c00000000010001000002024c01" + "00" + "3b",
  "hex",
);

test("LOAD-04: encryption is loaded with the first encrypted conversation, and read on both sides", async ({ page, browser, orvale, watched }) => {
  const { first, roomId } = await twoPeople(orvale, "gina", "hugo");
  await logIn(page, "gina");
  await page.goto(`/chat/room/${encodeURIComponent(roomId)}`);
  await expect(field(page)).toBeVisible();
  const hugo = await another(browser, "hugo", orvale.address);
  await hugo.goto(`/chat/room/${encodeURIComponent(roomId)}`);
  await expect(field(hugo)).toBeVisible();
  expect(watched.requests.filter((url) => /wasm/.test(url))).toEqual([]);
  await orvale.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.encryption/`, {
    method: "PUT",
    token: first.access_token,
    body: { algorithm: "m.megolm.v1.aes-sha2" },
  });
  await expect.poll(() => watched.requests.filter((url) => /\.wasm/.test(url)).length).toBe(1);
  await say(page, "only for you");
  await expect(message(hugo, "only for you")).toBeVisible();
  await say(hugo, "and back");
  await expect(message(page, "and back")).toBeVisible();
  const { chunk } = await orvale.ask<{ chunk: { type: string; content: object }[] }>(
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=5`,
    { token: first.access_token },
  );
  expect(chunk.filter(({ type }) => type === "m.room.encrypted")).toHaveLength(2);
  expect(JSON.stringify(chunk)).not.toContain("only for you");

  // After a reload everything is read again, from the keys that were kept.
  await page.reload();
  await expect(message(page, "only for you")).toBeVisible();
  await expect(message(page, "and back")).toBeVisible();
  await hugo.context().close();
});

async function encrypt(orvale: Orvale, token: string, roomId: string): Promise<void> {
  await orvale.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.encryption/`, {
    method: "PUT",
    token,
    body: { algorithm: "m.megolm.v1.aes-sha2" },
  });
}

async function open(page: Page, roomId: string): Promise<void> {
  await go(page, `/chat/room/${encodeURIComponent(roomId)}`);
  await expect(field(page)).toBeVisible();
}

/** Sets up encryption as one does; the recovery key that was shown. */
async function setUp(page: Page, passphrase = ""): Promise<string> {
  await go(page, "/chat?settings=security");
  await page.getByRole("button", { name: "Set up encryption" }).click();
  const dialog = page.getByRole("dialog", { name: "Set up encryption" });
  if (passphrase) await dialog.getByLabel(/^Passphrase/).fill(passphrase);
  await dialog.getByRole("button", { name: "Create recovery key" }).click();
  const shown = page.getByTestId("recovery-key");
  await expect(shown).toHaveText(/^(\w{4} ){11}\w{4}$/);
  const key = await shown.innerText();
  await expect(shown).toBeFocused();
  await screen(page, "recovery-key");
  // What is shown only once is not lost by a key.
  await page.keyboard.press("Escape");
  await expect(shown).toHaveText(key);
  await expect(page.getByRole("alert").filter({ hasText: "Keep the key first" })).toBeVisible();
  await page.getByRole("button", { name: "I have saved it" }).click();
  await expect(page.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
  return key;
}

/** Shows both sides' emoji, holds them together, and confirms. */
async function compare(asking: Page, asked: Page): Promise<void> {
  await asked.getByRole("button", { name: "Begin" }).click();
  const emoji = async (page: Page) => {
    await expect(page.locator("[data-emoji]")).toHaveCount(7);
    return page.locator("[data-emoji]").allInnerTexts();
  };
  expect(await emoji(asking)).toEqual(await emoji(asked));
  for (const page of [asking, asked]) await page.getByRole("button", { name: "They match" }).click();
  for (const page of [asking, asked]) {
    const dialog = page.getByRole("dialog").filter({ hasText: "Verified" }).last();
    await expect(dialog.getByText("Verified", { exact: true })).toBeVisible();
    await dialog.getByRole("button", { name: "Close" }).last().click();
  }
}

test("a recovery key brings a new device everything back; another is verified by comparing emoji", async ({ page, browser, orvale }) => {
  const { first, roomId } = await twoPeople(orvale, "ines", "jonas");
  await encrypt(orvale, first.access_token, roomId);
  await logIn(page, "ines");
  await open(page, roomId);
  await say(page, "from the first device");
  await go(page, "/chat?settings=security");
  await expect(page.getByRole("heading", { name: "Encryption is not set up yet" })).toBeVisible();
  await screen(page, "security-none");
  expect(await violations(page)).toEqual([]);
  const key = await setUp(page, "open sesame for ines");
  await screen(page, "security-good");
  expect(await violations(page)).toEqual([]);

  // A device that knows nothing says so, and what helps.
  const phone = await another(browser, "ines", orvale.address);
  await phone.setViewportSize({ width: 390, height: 844 });
  await open(phone, roomId);
  await expect(phone.getByText(/Written before you logged in on this device/)).toBeVisible();
  await screen(phone, "locked-phone");
  await phone.getByRole("link", { name: "Enter the recovery key" }).click();
  await expect(phone.getByRole("heading", { name: "This device is not verified" })).toBeVisible();
  await screen(phone, "security-unverified-phone");
  expect(await violations(phone)).toEqual([]);
  await phone.getByRole("button", { name: "Enter the recovery key" }).click();
  const dialog = phone.getByRole("dialog", { name: "Enter the recovery key" });
  await dialog.getByLabel("Recovery key or passphrase").fill("a wrong guess");
  await dialog.getByRole("button", { name: "Unlock" }).click();
  await expect(dialog.getByText("That is neither the recovery key nor its passphrase.")).toBeVisible();
  await dialog.getByLabel("Recovery key or passphrase").fill(key);
  await dialog.getByRole("button", { name: "Unlock" }).click();
  await expect(phone.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
  await open(phone, roomId);
  await expect(message(phone, "from the first device")).toBeVisible();
  await phone.context().close();

  // The passphrase opens the same lock.
  const tablet = await another(browser, "ines", orvale.address);
  await go(tablet, "/chat?settings=security");
  await tablet.getByRole("button", { name: "Enter the recovery key" }).click();
  await tablet.getByLabel("Recovery key or passphrase").fill("open sesame for ines");
  await tablet.getByRole("button", { name: "Unlock" }).click();
  await expect(tablet.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
  await tablet.context().close();

  // Comparing emoji with the first device needs no key at all.
  const laptop = await another(browser, "ines", orvale.address);
  await go(laptop, "/chat?settings=security");
  await go(page, "/chat");
  await laptop.getByRole("button", { name: "Compare with another device" }).click();
  await expect(page.getByRole("dialog", { name: "Verify your device" })).toBeVisible();
  await screen(page, "verify-asked");
  expect(await violations(page)).toEqual([]);
  await compare(laptop, page);
  await expect(laptop.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
  await open(laptop, roomId);
  await expect(message(laptop, "from the first device")).toBeVisible();
  await go(page, "/chat?settings=devices");
  await expect(page.getByText("Verified", { exact: true }).first()).toBeVisible();
  await screen(page, "devices-verified");
  expect(await violations(page)).toEqual([]);
  await laptop.context().close();
});

test("two people verify each other from the conversation's key", async ({ page, browser, orvale }) => {
  const { first, roomId } = await twoPeople(orvale, "karim", "lena");
  await encrypt(orvale, first.access_token, roomId);
  await logIn(page, "karim");
  const lena = await another(browser, "lena", orvale.address);
  for (const person of [page, lena]) await setUp(person);
  for (const person of [page, lena]) await open(person, roomId);
  await say(page, "is it you?");
  await expect(message(lena, "is it you?")).toBeVisible();
  await page.getByRole("button", { name: "Encrypted", exact: true }).click();
  await expect(page.getByText("Not verified")).toBeVisible();
  await screen(page, "room-encryption");
  expect(await violations(page)).toEqual([]);
  await field(lena).fill("Half a sen");
  await page.getByRole("button", { name: /^Verify / }).click();
  await expect(lena.getByRole("dialog", { name: /^Verify / })).toBeVisible();
  // A key that was meant for the text answers nothing.
  await expect(lena.getByRole("group", { name: /wants to make sure/ })).toBeFocused();
  await lena.keyboard.press("Enter");
  await expect(lena.getByRole("button", { name: "Begin" })).toBeVisible();
  await lena.getByRole("button", { name: "Not now" }).click();
  await expect(field(lena)).toBeFocused();
  await expect(field(lena)).toHaveValue("Half a sen");
  await expect(page.getByRole("group", { name: "The verification was declined." })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Try again" }).click();
  await compare(page, lena);
  await expect(page.getByText(/karim\S* asked for verification/).first()).toBeVisible();
  for (const person of [page, lena]) {
    await person.getByRole("button", { name: "Encrypted", exact: true }).click();
    await expect(person.getByText("Verified", { exact: true })).toBeVisible();
    await person.keyboard.press("Escape");
  }
  await lena.context().close();
});

test("who starts over gives nothing up before the password is right, and is told of where one reads", async ({ page, browser, orvale }) => {
  const { first, roomId } = await twoPeople(orvale, "tilda", "umar");
  await encrypt(orvale, first.access_token, roomId);
  await logIn(page, "tilda");
  const umar = await another(browser, "umar", orvale.address);
  for (const person of [page, umar]) await setUp(person);
  for (const person of [page, umar]) await open(person, roomId);
  await say(umar, "is it you?");
  await page.locator("main").getByRole("button", { name: "umar" }).first().click();
  await page.getByRole("button", { name: /^Verify @umar/ }).click();
  await compare(page, umar);
  await expect(page.getByRole("region", { name: "Encryption" }).getByText("Verified", { exact: true })).toBeVisible();

  // A device of its own that nobody has verified is told, and so is what comes in the clear.
  const laptop = await another(browser, "umar", orvale.address);
  await open(laptop, roomId);
  await say(laptop, "on my laptop");
  await expect(message(page, "on my laptop").getByRole("button", { name: /its owner has not verified/ })).toBeVisible();
  await orvale.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/clear`, {
    method: "PUT",
    token: first.access_token,
    body: { msgtype: "m.text", body: "in the clear" },
  });
  await expect(message(page, "in the clear").getByRole("button", { name: "Not encrypted." })).toBeVisible();
  await expect(message(page, "is it you?").getByRole("button", { name: /verified|encrypted/ })).toHaveCount(0);
  await screen(page, "doubts");
  expect(await violations(page)).toEqual([]);

  await go(umar, "/chat?settings=security");
  await umar.getByRole("button", { name: "Start over" }).click();
  const dialog = umar.getByRole("dialog", { name: "Start over with new keys" });
  await dialog.getByLabel(/^Your password/).fill("not that");
  await dialog.getByRole("button", { name: "Start over" }).click();
  await expect(dialog.getByText("Wrong password.")).toBeVisible();
  await umar.keyboard.press("Escape");
  await expect(umar.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
  await umar.getByRole("button", { name: "Start over" }).click();
  await dialog.getByLabel(/^Your password/).fill(PASSWORD);
  await dialog.getByRole("button", { name: "Start over" }).click();
  await umar.getByRole("button", { name: "I have saved it" }).click();
  await expect(umar.getByRole("heading", { name: "Everything is in order" })).toBeVisible();

  await expect(page.getByText(/@umar\S* has new keys/).first()).toBeVisible();
  await screen(page, "new-keys");
  expect(await violations(page)).toEqual([]);
  await page.locator("main").getByRole("button", { name: "Accept new keys" }).first().click();
  await expect(page.getByRole("button", { name: "Accept new keys" })).toHaveCount(0);
  await laptop.context().close();
  await umar.context().close();
});

test("emoji that differ end the verification with a warning", async ({ page, browser, orvale }) => {
  const { first, roomId } = await twoPeople(orvale, "mira", "nils");
  await encrypt(orvale, first.access_token, roomId);
  await logIn(page, "mira");
  const nils = await another(browser, "nils", orvale.address);
  for (const person of [page, nils]) await setUp(person);
  for (const person of [page, nils]) await open(person, roomId);
  await say(page, "hello");
  await expect(message(nils, "hello")).toBeVisible();
  await page.getByRole("button", { name: "Encrypted", exact: true }).click();
  await page.getByRole("button", { name: /^Verify / }).click();
  await nils.getByRole("button", { name: "Begin" }).click();
  await expect(page.locator("[data-emoji]")).toHaveCount(7);
  await screen(page, "verify-compare");
  expect(await violations(page)).toEqual([]);
  await nils.setViewportSize({ width: 390, height: 844 });
  await expect(nils.locator("[data-emoji]")).toHaveCount(7);
  await screen(nils, "verify-compare-phone");
  await page.getByRole("button", { name: "They do not match" }).click();
  for (const person of [page, nils])
    await expect(person.getByText(/The emoji were not the same|was cancelled/).first()).toBeVisible();
  await nils.context().close();
});

test("who never gets an answer is told so after ten minutes, and asks again with one press", async ({ page, browser, orvale }) => {
  const { first, second, roomId } = await twoPeople(orvale, "wilma", "xaver");
  await encrypt(orvale, first.access_token, roomId);
  // Before the page is there: the crypto keeps the clock that it found first.
  await page.clock.install();
  await logIn(page, "wilma");
  const xaver = await another(browser, "xaver", orvale.address);
  for (const person of [page, xaver]) await setUp(person);
  for (const person of [page, xaver]) await open(person, roomId);
  await say(page, "is it you?");
  await expect(message(xaver, "is it you?")).toBeVisible();
  await page.getByRole("button", { name: "Encrypted", exact: true }).click();
  await page.getByRole("button", { name: /^Verify / }).click();
  await expect(page.getByRole("group", { name: /^Waiting until/ })).toBeVisible();
  await expect(xaver.getByRole("button", { name: "Begin" })).toBeVisible();
  await page.clock.fastForward("09:50");
  await expect(page.getByRole("group", { name: /^Waiting until/ })).toBeVisible();
  await page.clock.fastForward("00:11");
  await expect(page.getByRole("group", { name: /^It took too long/ })).toBeVisible();
  await screen(page, "verify-timeout");
  expect(await violations(page)).toEqual([]);
  // Whoever was asked is told as soon as the server says anything, and is asked again in the same place.
  await orvale.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/typing/${encodeURIComponent(second.user_id)}`, {
    method: "PUT",
    token: second.access_token,
    body: { typing: true, timeout: 1_000 },
  });
  await expect(xaver.getByRole("group", { name: /^It took too long/ })).toBeVisible();
  await expect(xaver.getByRole("button", { name: "Try again" })).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await compare(page, xaver);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Encrypted", exact: true }).click();
  await expect(page.getByText("Verified", { exact: true })).toBeVisible();
  await xaver.context().close();
});

/** The one shows a tick, the other is asked for it, and both are verified. */
async function tick(scanning: Page, showing: Page): Promise<void> {
  await expect(scanning.getByRole("group", { name: /^The code fits/ })).toBeVisible();
  await expect(showing.getByRole("group", { name: /a tick now\?$/ })).toBeFocused();
  await showing.getByRole("button", { name: "Yes, a tick" }).click();
  for (const page of [showing, scanning]) {
    const dialog = page.getByRole("dialog").filter({ hasText: "Verified" }).last();
    await expect(dialog.getByText("Verified", { exact: true })).toBeVisible();
    await dialog.getByRole("button", { name: "Close" }).last().click();
  }
}

/** Whether a camera is on, as the page can know it. */
const watchesCamera = async (page: Page) => {
  await page.addInitScript(() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, { cameras: () => tracks.filter(({ readyState }) => readyState === "live").length });
    mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  return () => page.evaluate(() => (window as unknown as { cameras: () => number }).cameras());
};

test("a new device scans the code of another, and both see each other verified", async ({ page, playwright, launchOptions, orvale }) => {
  const { first, roomId } = await twoPeople(orvale, "selma", "theo");
  await encrypt(orvale, first.access_token, roomId);
  const camera = await Camera.open(playwright.chromium, launchOptions, page);
  await logIn(page, "selma");
  await open(page, roomId);
  await say(page, "from the first device");
  await setUp(page);
  await go(page, "/chat");
  const phone = await another(camera.browser, "selma", orvale.address, { viewport: { width: 390, height: 844 } });
  const camerasOn = await watchesCamera(phone);
  await phone.goto("/chat?settings=security");
  await phone.getByRole("button", { name: "Compare with another device" }).click();
  await expect(page.getByText(/scans a code from the other’s screen/)).toBeVisible();
  await page.getByRole("button", { name: "Begin" }).click();
  // This one has no camera, so it is the phone that scans.
  await expect(page.getByRole("img", { name: /^QR code/ })).toBeVisible();
  await expect(page.getByRole("button", { name: "Scan the other code" })).toHaveCount(0);
  await screen(page, "verify-code");
  expect(await violations(page)).toEqual([]);
  await expect(phone.getByRole("group", { name: /shows a code/ })).toBeVisible();
  await screen(phone, "verify-scan-phone");
  expect(await camerasOn()).toBe(0);

  // An empty picture is searched until one gives up, and the camera goes off with it.
  await phone.getByRole("button", { name: "Scan the other code" }).click();
  await expect(phone.getByText(/^Hold the other side’s code/)).toBeVisible();
  await expect(phone.getByText(/shows a code/)).toHaveCount(0);
  expect(await camerasOn()).toBe(1);
  await screen(phone, "verify-camera-phone");
  expect(await violations(phone)).toEqual([]);
  await phone.getByRole("button", { name: "Stop scanning" }).click();
  await expect.poll(camerasOn).toBe(0);

  await camera.hold(page);
  await phone.getByRole("button", { name: "Scan the other code" }).click();
  await expect(phone.getByRole("group", { name: /^The code fits/ })).toBeVisible();
  expect(await camerasOn()).toBe(0);
  await screen(phone, "verify-ticked-phone");
  expect(await violations(phone)).toEqual([]);
  await screen(page, "verify-scanned");
  expect(await violations(page)).toEqual([]);
  await tick(phone, page);
  await expect(phone.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
  await open(phone, roomId);
  await expect(message(phone, "from the first device")).toBeVisible();
  await go(page, "/chat?settings=devices");
  await expect(page.getByText("Verified", { exact: true })).toHaveCount(2);
  await camera.close();
});

test("two people with cameras verify each other by a code; one that is somebody else's changes nothing", async ({ page, playwright, launchOptions, orvale }) => {
  const { first, roomId } = await twoPeople(orvale, "uta", "viktor");
  await encrypt(orvale, first.access_token, roomId);
  const camera = await Camera.open(playwright.chromium, launchOptions, page);
  const uta = await another(camera.browser, "uta", orvale.address, { colorScheme: "dark" });
  const viktor = await another(camera.browser, "viktor", orvale.address);
  const camerasOn = await watchesCamera(viktor);
  await viktor.reload();
  for (const person of [uta, viktor]) await setUp(person);
  for (const person of [uta, viktor]) await open(person, roomId);
  await say(uta, "is it you?");
  await expect(message(viktor, "is it you?")).toBeVisible();
  const ask = async () => {
    await uta.getByRole("button", { name: "Encrypted", exact: true }).click();
    await uta.getByRole("button", { name: /^Verify / }).click();
    await viktor.getByRole("button", { name: "Begin" }).click();
    await expect(uta.getByRole("img", { name: /^QR code/ })).toBeVisible();
    await expect(viktor.getByRole("img", { name: /^QR code/ })).toBeVisible();
  };
  const closed = async () => {
    for (const person of [uta, viktor]) await expect(person.getByRole("dialog", { name: /^Verify / })).toHaveCount(0);
  };
  await ask();
  // Whoever closes the dialog is filmed no more.
  await viktor.getByRole("button", { name: "Scan the other code" }).click();
  await expect(viktor.getByText(/^Hold the other side’s code/)).toBeVisible();
  expect(await camerasOn()).toBe(1);
  await camera.hold(uta);
  await viktor.keyboard.press("Escape");
  await expect.poll(camerasOn).toBe(0);
  await expect(uta.getByRole("group", { name: "The other side cancelled it." })).toBeVisible();
  await uta.getByRole("dialog", { name: /^Verify / }).getByRole("button", { name: "Close" }).last().click();
  await closed();
  await uta.keyboard.press("Escape");

  // The code of the time before is told for what it is; after that the right one is found.
  await ask();
  await screen(uta, "verify-code-dark");
  expect(await violations(uta)).toEqual([]);
  await viktor.getByRole("button", { name: "Scan the other code" }).click();
  await expect(viktor.getByText(/^That code belongs to another verification/)).toBeVisible();
  await screen(viktor, "verify-of-others");
  await viktor.getByRole("button", { name: "Show my code" }).click();
  await camera.hold(uta);
  await viktor.getByRole("button", { name: "Scan the other code" }).click();
  await tick(viktor, uta);
  await closed();
  await uta.keyboard.press("Escape");
  for (const person of [uta, viktor]) {
    await person.getByRole("button", { name: "Encrypted", exact: true }).click();
    await expect(person.getByText("Verified", { exact: true })).toBeVisible();
    await person.keyboard.press("Escape");
  }
  await camera.close();
});

/** Shows a page the keys of somebody as they are now, whatever becomes of them. */
async function freezeKeys(page: Page, orvale: Orvale, token: string, userId: string): Promise<void> {
  type Keys = Record<string, Record<string, unknown>>;
  const body = { device_keys: { [userId]: [] } };
  const kept = await orvale.ask<Keys>("/_matrix/client/v3/keys/query", { token, body });
  await page.route("**/keys/query", async (route) => {
    const response = await route.fetch();
    const json = (await response.json()) as Keys;
    for (const kind of ["master_keys", "self_signing_keys"]) if (json[kind]?.[userId]) json[kind][userId] = kept[kind]![userId];
    await route.fulfill({ response, json });
  });
}

test("a code with keys that are not one's own verifies nobody", async ({ page, playwright, launchOptions, orvale }) => {
  const { first, second, roomId } = await twoPeople(orvale, "zita", "adam");
  await encrypt(orvale, first.access_token, roomId);
  const camera = await Camera.open(playwright.chromium, launchOptions, page);
  const adam = await another(camera.browser, "adam", orvale.address);
  await setUp(adam);
  await logIn(page, "zita");
  await freezeKeys(page, orvale, first.access_token, second.user_id);
  await setUp(page);
  for (const person of [page, adam]) await open(person, roomId);
  await say(page, "is it you?");
  await expect(message(adam, "is it you?")).toBeVisible();
  await page.getByRole("button", { name: "Encrypted", exact: true }).click();
  await expect(page.getByText("Not verified")).toBeVisible();
  await go(adam, "/chat?settings=security");
  await adam.getByRole("button", { name: "Start over" }).click();
  const dialog = adam.getByRole("dialog", { name: "Start over with new keys" });
  await dialog.getByLabel(/^Your password/).fill(PASSWORD);
  await dialog.getByRole("button", { name: "Start over" }).click();
  await adam.getByRole("button", { name: "I have saved it" }).click();
  await expect(adam.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
  await open(adam, roomId);
  await page.getByRole("button", { name: /^Verify / }).click();
  await adam.getByRole("button", { name: "Begin" }).click();
  await expect(page.getByRole("img", { name: /^QR code/ })).toBeVisible();
  await camera.hold(page);
  await adam.getByRole("button", { name: "Scan the other code" }).click();
  await expect(adam.getByRole("group", { name: /^The keys do not fit/ })).toBeVisible();
  await screen(adam, "verify-keys");
  await expect(page.getByRole("group", { name: "The other side cancelled it." })).toBeVisible();
  await page.getByRole("dialog", { name: /^Verify / }).getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByRole("dialog", { name: /^Verify / })).toHaveCount(0);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Encrypted", exact: true }).click();
  await expect(page.getByText("Not verified", { exact: true })).toBeVisible();
  await camera.close();
});

test("who may not use the camera is told so in their language, and goes on with emoji", async ({ page, playwright, launchOptions, orvale }) => {
  await orvale.register("yara");
  const camera = await Camera.open(playwright.chromium, launchOptions, page, false);
  await logIn(page, "yara");
  await setUp(page);
  await go(page, "/chat");
  const phone = await another(camera.browser, "yara", orvale.address, {
    viewport: { width: 390, height: 844 },
    colorScheme: "dark",
    locale: "de-DE",
  });
  await go(phone, "/chat?settings=security");
  await phone.getByRole("button", { name: "Mit einem anderen Gerät vergleichen" }).click();
  await page.getByRole("button", { name: "Begin" }).click();
  await expect(page.getByRole("img", { name: /^QR code/ })).toBeVisible();
  await phone.getByRole("button", { name: "Den anderen Code scannen" }).click();
  await expect(phone.getByText(/^Orvale darf die Kamera nicht benutzen/)).toBeVisible();
  await screen(phone, "verify-refused-phone-dark");
  expect(await violations(phone)).toEqual([]);
  await phone.getByRole("button", { name: "Lieber Emoji vergleichen" }).click();
  await expect(page.locator("[data-emoji]")).toHaveCount(7);
  await expect(phone.locator("[data-emoji]")).toHaveCount(7);
  const marks = (one: Page) => one.locator("[data-emoji]").evaluateAll((all) => all.map((sign) => sign.getAttribute("data-emoji")));
  expect(await marks(phone)).toEqual(await marks(page));
  await page.getByRole("button", { name: "They match" }).click();
  await phone.getByRole("button", { name: "Sie stimmen überein" }).click();
  await expect(phone.getByText("Verifiziert", { exact: true }).last()).toBeVisible();
  await camera.close();
});

/** Holds the emoji of a page and of another client next to each other, and confirms on both sides. */
async function compareWith(page: Page, other: Companion): Promise<void> {
  await expect(page.locator("[data-emoji]")).toHaveCount(7);
  const shown = await page.locator("[data-emoji]").evaluateAll((all) => all.map((one) => one.getAttribute("data-emoji")));
  expect(await other.tells("emoji")).toEqual(shown);
  await page.getByRole("button", { name: "They match" }).click();
  other.confirm();
  await other.tells("done");
  const dialog = page.getByRole("dialog").filter({ hasText: "Verified" }).last();
  await expect(dialog.getByText("Verified", { exact: true })).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
}

test("a device is verified by one with another client that knows emoji alone: they begin at once", async ({ page, orvale }) => {
  await orvale.register("olga");
  const other = Companion.start(orvale.address, "olga", "asked", ["m.sas.v1"]);
  await other.tells("ready");
  await logIn(page, "olga");
  await go(page, "/chat?settings=security");
  await page.getByRole("button", { name: "Compare with another device" }).click();
  await compareWith(page, other);
  await expect(page.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
});

test("a device is verified by one with another client that could scan: there is a code, and emoji instead", async ({ page, orvale }) => {
  await orvale.register("oskar");
  const other = Companion.start(orvale.address, "oskar", "asked");
  await other.tells("ready");
  await logIn(page, "oskar");
  await go(page, "/chat?settings=security");
  await page.getByRole("button", { name: "Compare with another device" }).click();
  await expect(page.getByRole("img", { name: /^QR code/ })).toBeVisible();
  await page.getByRole("button", { name: "Compare emoji instead" }).click();
  await compareWith(page, other);
  await expect(page.getByRole("heading", { name: "Everything is in order" })).toBeVisible();
});

test("a device with another client asks, and is verified here", async ({ page, orvale }) => {
  await orvale.register("pavel");
  await logIn(page, "pavel");
  await setUp(page);
  await go(page, "/chat");
  const other = Companion.start(orvale.address, "pavel", "asks");
  await other.tells("ready");
  await expect(page.getByRole("dialog", { name: "Verify your device" })).toBeVisible();
  await page.getByRole("button", { name: "Begin" }).click();
  await compareWith(page, other);
});

test("edits, replies, reactions, threads and files of an encrypted conversation", async ({ page, browser, orvale, watched }) => {
  const { first, second, roomId } = await twoPeople(orvale, "olive", "paul");
  await encrypt(orvale, first.access_token, roomId);
  await logIn(page, "olive");
  const paul = await another(browser, "paul", orvale.address);
  for (const person of [page, paul]) await open(person, roomId);
  await canBeWrittenTo(orvale, first.access_token, second.user_id);
  await say(page, "Lunch at tne?");
  await expect(message(paul, "Lunch at tne?")).toBeVisible();
  await field(page).press("ArrowUp");
  await field(page).fill("Lunch at ten?");
  await field(page).press("Enter");
  await expect(message(paul, "Lunch at ten?")).toContainText("(edited)");
  await message(paul, "Lunch at ten?").focus();
  await paul.keyboard.press("r");
  await say(paul, "Gladly");
  await expect(message(page, "Gladly").getByRole("button", { name: /Lunch at ten/ })).toBeVisible();
  await message(page, "Gladly").focus();
  await page.keyboard.press("+");
  await page.getByRole("searchbox", { name: "Find an emoji" }).fill("thumbs up");
  await page.getByRole("gridcell", { name: "Thumbs up", exact: true }).click();
  await expect(message(paul, "Gladly").getByRole("button", { name: /reacted with 👍/ })).toBeVisible();
  await message(paul, "Gladly").focus();
  await paul.keyboard.press("t");
  const panel = paul.getByRole("region", { name: "Details" }).or(paul.getByRole("complementary", { name: "Details" }));
  await panel.getByRole("textbox").fill("in the thread");
  await panel.getByRole("textbox").press("Enter");
  await expect(panel.getByRole("article").filter({ hasText: "in the thread" })).toBeVisible();
  await expect(page.getByRole("button", { name: /1 reply/ })).toContainText("in the thread");

  const picture = await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = 1600;
    canvas.height = 1200;
    const paint = canvas.getContext("2d")!;
    paint.fillStyle = "darkorange";
    paint.fillRect(0, 0, 1600, 1200);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
    return Array.from(new Uint8Array(await blob!.arrayBuffer()));
  });
  await page.locator("input[type=file]").setInputFiles({ name: "orange.png", mimeType: "image/png", buffer: Buffer.from(picture) });
  for (const person of [page, paul]) {
    await expect(person.getByRole("button", { name: "Open orange.png" }).getByRole("img")).toBeVisible();
  }
  await screen(page, "encrypted-conversation");
  const colour = await paul.getByRole("img", { name: "orange.png" }).evaluate((img: HTMLImageElement) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const paint = canvas.getContext("2d")!;
    paint.drawImage(img, 0, 0, 1, 1);
    return Array.from(paint.getImageData(0, 0, 1, 1).data.slice(0, 2));
  });
  expect(colour[0]).toBeGreaterThan(240);
  expect(colour[1]).toBeGreaterThan(120);
  await paul.getByRole("button", { name: "Open orange.png" }).click();
  await expect(paul.getByRole("dialog", { name: "Picture orange.png" }).getByRole("img")).toBeVisible();
  await paul.keyboard.press("Escape");
  // What moves stands still until somebody points at it, though the server cannot make it so.
  await page.locator("input[type=file]").setInputFiles({ name: "blinking.gif", mimeType: "image/gif", buffer: BLINKING });
  const film = paul.getByRole("button", { name: "Open blinking.gif" });
  const still = await film.getByRole("img").getAttribute("src");
  await film.hover();
  await expect(film.getByRole("img")).not.toHaveAttribute("src", still!);
  await paul.mouse.move(0, 0);
  await expect(film.getByRole("img")).toHaveAttribute("src", still!);
  // What the server keeps is no picture, and nobody asks it for a small one.
  const fetched = watched.requests.filter((url) => /\/media\/(download|thumbnail)\//.test(url));
  expect(fetched.length).toBeGreaterThan(0);
  expect(fetched.filter((url) => url.includes("/thumbnail/"))).toEqual([]);
  const bytes = await fetch(fetched[0]!, { headers: { authorization: `Bearer ${first.access_token}` } });
  expect(Buffer.from(await bytes.arrayBuffer()).subarray(0, 4).toString("latin1")).not.toBe("\x89PNG");
  await paul.context().close();
});

test("the keys follow to the tab that is used, and go with the session", async ({ page, browser, orvale }) => {
  const { first, roomId } = await twoPeople(orvale, "quinn", "rosa");
  await encrypt(orvale, first.access_token, roomId);
  await logIn(page, "quinn");
  const rosa = await another(browser, "rosa", orvale.address);
  for (const person of [page, rosa]) await open(person, roomId);
  await say(page, "in the first tab");
  const tab = await page.context().newPage();
  await tab.goto(`/chat/room/${encodeURIComponent(roomId)}`);
  await expect(message(tab, "in the first tab")).toBeVisible();
  await say(tab, "in the second tab");
  await expect(message(rosa, "in the second tab")).toBeVisible();
  await say(rosa, "which one?");
  await expect(message(tab, "which one?")).toBeVisible();
  await page.bringToFront();
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await expect(message(page, "which one?")).toBeVisible();
  await say(page, "both");
  for (const person of [rosa, tab]) await expect(message(person, "both")).toBeVisible();
  // Closed, it leaves the keys to whoever is left.
  await page.close();
  await say(rosa, "and now?");
  await expect(message(tab, "and now?")).toBeVisible();

  const kept = () => tab.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? ""));
  expect((await kept()).some((name) => name.includes("matrix-sdk-crypto"))).toBe(true);
  await tab.goto("/chat");
  await tab.getByRole("button", { name: /^Your account/ }).click();
  await tab.getByRole("menuitem", { name: "Log out" }).click();
  // The keys are in no backup: what they open would be lost.
  await expect(tab.getByRole("dialog", { name: "Log out and lose messages?" })).toBeVisible();
  await screen(tab, "log-out");
  expect(await violations(tab)).toEqual([]);
  await tab.getByRole("button", { name: "Log out anyway" }).click();
  await expect(tab.getByRole("heading", { name: /Log in to/ })).toBeVisible();
  await expect.poll(async () => (await kept()).filter((name) => /crypto|orvale:@/.test(name))).toEqual([]);
  expect(await tab.evaluate(() => Object.keys(localStorage).filter((name) => name.includes("keys")))).toEqual([]);
  await rosa.context().close();
});
