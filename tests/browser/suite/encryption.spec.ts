import { another, canBeWrittenTo, compare, encrypt, field, message, open, say, screen, setUp, twoPeople } from "../support/encrypted.ts";
import { PASSWORD } from "../support/orvale.ts";
import { expect, go, logIn, test, violations } from "../support/test.ts";

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
