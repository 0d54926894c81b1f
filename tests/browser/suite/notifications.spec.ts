import type { BrowserContext, Page } from "@playwright/test";

import { expect, logIn, test, violations } from "../support/test.ts";

interface Heard {
  sounds: string[];
  cards: { title: string; body: string }[];
}

/** Writes down what a page plays and shows. */
async function listen(context: BrowserContext): Promise<void> {
  await context.grantPermissions(["notifications"]);
  await context.addInitScript(() => {
    const heard: Heard = { sounds: [], cards: [] };
    Object.assign(window, { heard });
    HTMLMediaElement.prototype.play = function () {
      heard.sounds.push(`${new URL(this.src).pathname} ${this.volume}`);
      return Promise.resolve();
    };
    class Card {
      static permission = "granted";
      static requestPermission = () => Promise.resolve("granted");
      onclick: (() => void) | null = null;
      constructor(title: string, options: { body: string }) {
        heard.cards.push({ title, body: options.body });
        Object.assign(window, { lastCard: this });
      }
      close() {}
    }
    Object.assign(window, { Notification: Card });
  });
}

const heard = (page: Page) => page.evaluate(() => (window as unknown as { heard: Heard }).heard);
const rooms = (page: Page) => page.getByRole("navigation", { name: "Conversations" });
const screen = (page: Page, name: string) => page.screenshot({ path: `../artifacts/screens/notifications-${name}.png` });

test("NOTIF-01, NOTIF-04, CALM-08, CALM-09, CALM-10: three tabs, one sound, one card, the same number everywhere", async ({
  page,
  context,
  browser,
  orvale,
}) => {
  await listen(context);
  await logIn(page, "chiara");
  const tabs = [page, await context.newPage(), await context.newPage()];
  for (const tab of tabs.slice(1)) {
    await tab.goto("/chat");
    await expect(rooms(tab).getByText("Welcome")).toBeVisible();
  }
  const sender = await orvale.register("bruno");
  const chiara = "@chiara:test.example";
  const { room_id } = await orvale.ask<{ room_id: string }>("/_matrix/client/v3/createRoom", {
    token: sender.access_token,
    body: { is_direct: true, invite: [chiara], preset: "trusted_private_chat" },
  });
  const loud = async () => (await Promise.all(tabs.map(heard))).flatMap(({ sounds }) => sounds);
  const shown = async () => (await Promise.all(tabs.map(heard))).flatMap(({ cards }) => cards);
  await expect.poll(loud).toEqual(["/sounds/message-ding.wav 0.3"]);
  await expect.poll(async () => (await shown()).map(({ body }) => body)).toEqual(["@bruno:test.example invites you"]);
  const { access_token } = await orvale.ask<{ access_token: string }>("/_matrix/client/v3/login", {
    body: { type: "m.login.password", identifier: { type: "m.id.user", user: "chiara" }, password: "orvale-demo" },
  });
  await orvale.ask(`/_matrix/client/v3/join/${encodeURIComponent(room_id)}`, { method: "POST", token: access_token, body: {} });
  await page.waitForTimeout(2_100);
  await orvale.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(room_id)}/send/m.room.message/1`, {
    method: "PUT",
    token: sender.access_token,
    body: { msgtype: "m.text", body: "Are you there?" },
  });
  await expect.poll(loud).toHaveLength(2);
  await expect.poll(async () => (await shown()).at(-1)?.body).toBe("Are you there?");
  await page.waitForTimeout(500);
  expect([(await loud()).length, (await shown()).length]).toEqual([2, 2]);

  // CALM-09: what is counted in the rows is what the title, the icon and the bar say.
  for (const tab of tabs) {
    const rows = await rooms(tab)
      .locator("[data-room] [role=status]")
      .allInnerTexts();
    const sum = rows.reduce((all, text) => all + Number.parseInt(text || "0", 10), 0);
    expect(sum).toBeGreaterThan(0);
    await expect(tab).toHaveTitle(`(${sum}) Orvale Management System`);
    await expect(tab.locator("link[rel=icon]")).toHaveAttribute("href", /unread/);
    await expect(tab.getByRole("link", { name: new RegExp(`Chat, ${sum} unread`) })).toBeVisible();
  }

  // CALM-10: read elsewhere, it is gone here within a second.
  const other = await browser.newContext({ baseURL: orvale.address });
  const phone = await other.newPage();
  await logIn(phone, "chiara");
  const { chunk } = await orvale.ask<{ chunk: { event_id: string }[] }>(
    `/_matrix/client/v3/rooms/${encodeURIComponent(room_id)}/messages?dir=b&limit=1`,
    { token: access_token },
  );
  const row = rooms(page).locator(`[data-room="${room_id}"] [role=status]`);
  await expect(row).toHaveText("1");
  await orvale.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(room_id)}/receipt/m.read/${encodeURIComponent(chunk[0]!.event_id)}`, {
    method: "POST",
    token: access_token,
    body: {},
  });
  await expect(row).toHaveCount(0, { timeout: 1_000 });
  await expect(rooms(phone).locator(`[data-room="${room_id}"] [role=status]`)).toHaveCount(0, { timeout: 1_000 });
  await other.close();
});

test("CALM-07: nothing for the room that is looked at, nothing while it is to be quiet; a keyword is a mention", async ({
  page,
  context,
  orvale,
}) => {
  await listen(context);
  const [reader, sender] = await Promise.all([orvale.register("sven"), orvale.register("tess")]);
  const { room_id } = await orvale.ask<{ room_id: string }>("/_matrix/client/v3/createRoom", {
    token: sender.access_token,
    body: { name: "Kitchen", invite: [reader.user_id, "@ada:test.example"] },
  });
  await orvale.ask(`/_matrix/client/v3/join/${encodeURIComponent(room_id)}`, { method: "POST", token: reader.access_token, body: {} });
  let count = 0;
  const say = (body: string) =>
    orvale.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(room_id)}/send/m.room.message/${(count += 1)}`, {
      method: "PUT",
      token: sender.access_token,
      body: { msgtype: "m.text", body },
    });
  await logIn(page, "sven");
  await page.goto("/chat?settings=notifications");
  const dialog = page.getByRole("dialog", { name: "Chat settings" });
  await dialog.getByLabel("Keyword", { exact: true }).fill("biscuits");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog.getByRole("button", { name: "Remove biscuits" })).toBeVisible();
  await dialog.getByRole("combobox", { name: "Groups and channels" }).click();
  await page.getByRole("option", { name: "With sound" }).click();
  await expect(dialog.getByRole("combobox", { name: "Groups and channels" })).toHaveText("With sound");
  await screen(page, "settings");
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");

  await say("tea is ready");
  await expect.poll(async () => (await heard(page)).sounds).toEqual(["/sounds/group-notification.wav 0.3"]);
  await page.waitForTimeout(2_100);
  await say("and biscuits");
  await expect.poll(async () => (await heard(page)).sounds.at(-1)).toBe("/sounds/mention-ping.wav 0.3");
  expect((await heard(page)).cards.map(({ title }) => title)).toEqual([
    "@tess:test.example in Kitchen",
    "@tess:test.example in Kitchen",
  ]);

  // A click on the card leads to the message.
  await page.evaluate(() => (window as unknown as { lastCard: { onclick: () => void } }).lastCard.onclick());
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Kitchen");
  await page.waitForTimeout(2_100);
  await say("you see this");
  await expect(page.getByRole("article").filter({ hasText: "you see this" })).toBeVisible();
  await page.waitForTimeout(300);
  expect((await heard(page)).sounds).toHaveLength(2);

  await page.goto("/chat?settings=notifications");
  await page.getByRole("button", { name: "For an hour" }).click();
  await expect(page.getByText(/^Quiet until/)).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  await screen(page, "settings-phone");
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("Escape");
  await say("biscuits again");
  await expect(rooms(page).locator(`[data-room="${room_id}"] [role=status]`)).toHaveText("1");
  expect(await heard(page)).toEqual({ sounds: [], cards: [] });
});
