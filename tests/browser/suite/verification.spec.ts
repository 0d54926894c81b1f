import type { Page } from "@playwright/test";

import { Camera } from "../support/camera.ts";
import { Companion } from "../support/companion.ts";
import { another, compare, encrypt, field, message, open, say, screen, setUp, twoPeople } from "../support/encrypted.ts";
import { type Orvale, PASSWORD } from "../support/orvale.ts";
import { expect, go, logIn, test, violations } from "../support/test.ts";

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
