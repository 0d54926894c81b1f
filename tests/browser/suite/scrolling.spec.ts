import type { Page, Route } from "@playwright/test";

import type { Orvale } from "../support/orvale.ts";
import { Person } from "../support/person.ts";
import { firstInView, gap, log, placeOf, rest, watchFrames, wheel } from "../support/scroll.ts";
import { expect, logIn, test } from "../support/test.ts";

/** Text of message n: some have a second line, so that no two stretches are equally high. */
const textOf = (n: number) => `message ${n}${n % 7 === 0 ? " and a second line\nfor another height" : ""}`;

interface LongRoom {
  ben: Person;
  ada: Person;
  roomId: string;
  ids: string[];
}

/** A channel with many messages by Ben, which Ada has read. */
async function longRoom(orvale: Orvale, name: string, messages: number): Promise<LongRoom> {
  const ben = await Person.logIn(orvale.address, "ben");
  const ada = await Person.logIn(orvale.address, "ada");
  const roomId = await ben.create({ name, preset: "public_chat" });
  await ada.join(roomId);
  const ids: string[] = [];
  for (let n = 1; n <= messages; n += 1) ids.push(await ben.say(roomId, textOf(n)));
  await ada.read(roomId, ids.at(-1)!);
  return { ben, ada, roomId, ids };
}

async function open(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Conversations" }).getByRole("button", { name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByRole("article").first()).toBeVisible();
}

const saying = (page: Page, text: string) => page.getByRole("article").filter({ hasText: text });
const field = (page: Page) => page.getByRole("textbox", { name: /^Message to/ });

test("SCR-A1, SCR-A2, SCR-A5: the end stays the end, and reading is never disturbed", async ({ page, orvale }) => {
  const { ben, roomId } = await longRoom(orvale, "Scrolling", 60);
  await logIn(page, "ada");
  await open(page, "Scrolling");
  await expect(saying(page, "message 60")).toBeInViewport();
  await rest(page);
  expect(await gap(page)).toBe(0);

  // What arrives, the composer growing, the window shrinking: no painted frame leaves a gap.
  let seen = await watchFrames(page, null);
  await ben.say(roomId, "one more");
  await expect(saying(page, "one more")).toBeInViewport();
  await field(page).fill("a\nb\nc\nd\ne");
  await page.keyboard.type(" and more");
  await page.setViewportSize({ width: 1440, height: 640 });
  await field(page).fill("");
  await page.setViewportSize({ width: 1000, height: 800 });
  await rest(page);
  let frames = await seen();
  expect(frames.count).toBeGreaterThan(5);
  expect(frames.most, "px of gap in two frames that follow each other").toBeLessThanOrEqual(1);

  await wheel(page, -500);
  const reading = await firstInView(page);
  seen = await watchFrames(page, reading.id);
  await ben.say(roomId, "not now");
  await ben.say(roomId, "nor this");
  const pill = page.getByRole("button", { name: "2 new messages" });
  await expect(pill).toBeVisible();
  frames = await seen();
  expect(frames.moved).toBe(0);
  expect(await placeOf(page, reading.id)).toBe(reading.at);
  await pill.click();
  await expect(saying(page, "nor this")).toBeInViewport();
  await expect(pill).toBeHidden();
});

test("SCR-A3, SCR-A9, A11-08: page after page is loaded above, and what one reads stands still", async ({ page, orvale }) => {
  await longRoom(orvale, "History", 260);
  // Each page is held back until somebody has come to rest, and then let in.
  const held: Route[] = [];
  let asked = 0;
  await page.route(/\/messages\?/, (route) => {
    asked += 1;
    held.push(route);
  });
  await logIn(page, "ada");
  await open(page, "History");
  let pages = 0;
  for (let step = 0; step < 60; step += 1) {
    await rest(page);
    for (let route = held.shift(); route; route = held.shift()) {
      const before = await firstInView(page);
      const height = await log(page).evaluate((element) => element.scrollHeight);
      const seen = await watchFrames(page, before.id);
      const answered = page.waitForResponse(/\/messages\?/);
      await route.continue();
      await answered;
      await expect.poll(() => log(page).evaluate((element) => element.scrollHeight)).not.toBe(height);
      await rest(page);
      const frames = await seen();
      expect(frames.moved, `page ${pages}: px moved in any frame`).toBeLessThanOrEqual(1);
      expect(Math.abs((await placeOf(page, before.id))! - before.at)).toBeLessThanOrEqual(1);
      pages += 1;
    }
    if (await page.getByText("This is the beginning of History.").isVisible()) break;
    await wheel(page, -700);
  }
  await expect(page.getByText("This is the beginning of History.")).toBeVisible();
  expect(pages).toBeGreaterThanOrEqual(4);
  expect(pages).toBe(asked);
  expect(await log(page).evaluate((element) => element.querySelectorAll("*").length)).toBeLessThanOrEqual(3000);
  // A11-05: now that all are known, each says which it is.
  await expect(saying(page, "message 1").first()).toHaveAttribute("aria-posinset", "1");
  await expect(saying(page, "message 1").first()).toHaveAttribute("aria-setsize", "260");
  await expect(page.getByRole("status").filter({ hasText: /message/ })).toHaveCount(0);
});

test("SCR-A4: what grows late above the view moves nothing in it", async ({ page, orvale }) => {
  const { ben, roomId, ids } = await longRoom(orvale, "Late", 60);
  const picture = await ben.send(roomId, {
    msgtype: "m.image",
    body: "gone.png",
    url: "mxc://test.example/nothingthere",
    info: { w: 400, h: 300, mimetype: "image/png", size: 1000 },
  });
  for (let n = 0; n < 30; n += 1) ids.push(await ben.say(roomId, `after ${n}`));
  await page.route(/\/_matrix\/client\/v1\/media\//, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.fulfill({ status: 404, json: { errcode: "M_NOT_FOUND", error: "no" } });
  });
  await logIn(page, "ada");
  await open(page, "Late");
  await rest(page);
  await wheel(page, -60);
  const still = await firstInView(page);
  expect(await placeOf(page, picture), "the picture is above the view").toBeLessThan(still.at - 200);
  const above = await log(page).evaluate((element) => {
    const top = element.getBoundingClientRect().top;
    const rows = [...element.querySelectorAll<HTMLElement>("[role=article]")];
    return rows.filter((row) => row.getBoundingClientRect().bottom < top).map((row) => row.dataset["eventId"]!);
  });
  const seen = await watchFrames(page, still.id);
  for (const id of above.slice(-3)) await ben.react(roomId, id, "👍");
  await ben.send(roomId, {
    msgtype: "m.text",
    body: "* longer",
    "m.new_content": { msgtype: "m.text", body: "longer\nand longer\nand longer" },
    "m.relates_to": { rel_type: "m.replace", event_id: above.at(-7)! },
  });
  await expect(page.locator(`[data-event-id="${above.at(-1)!}"]`).getByRole("button", { name: /👍/ })).toBeAttached();
  await expect(saying(page, "and longer")).toBeAttached();
  // The picture that cannot be had becomes a card of another height.
  await expect(page.locator(`[data-event-id="${picture}"]`).getByRole("button", { name: /^Download/ })).toBeAttached();
  await rest(page);
  const frames = await seen();
  expect(frames.moved).toBeLessThanOrEqual(1);
  expect(Math.abs((await placeOf(page, still.id))! - still.at)).toBeLessThanOrEqual(1);
});

test("SCR-A6: the old position returns, and an unread room opens where its unread part begins", async ({ page, orvale }) => {
  const { ben, roomId, ids } = await longRoom(orvale, "Return", 160);
  await logIn(page, "ada");
  await open(page, "Return");
  for (let step = 0; step < 5; step += 1) {
    await wheel(page, -500);
  }
  const left = await firstInView(page);
  await open(page, "Welcome");
  await open(page, "Return");
  await rest(page);
  expect(Math.abs((await placeOf(page, left.id))! - left.at)).toBeLessThanOrEqual(1);

  // Unread messages, more than are loaded at once: the line stands above the first of them.
  await page.getByRole("button", { name: "Jump to the newest message" }).click();
  await expect(saying(page, "message 160")).toBeInViewport();
  await expect.poll(async () => (await ownReceipt(orvale, roomId)) === ids.at(-1)).toBe(true);
  await open(page, "Welcome");
  const first = await ben.say(roomId, "the first unread");
  for (let n = 0; n < 70; n += 1) await ben.say(roomId, `unread ${n}`);
  await expect(page.getByRole("navigation", { name: "Conversations" }).getByRole("button", { name: /Return.*71/ })).toBeVisible();
  await open(page, "Return");
  await rest(page);
  await expect(page.locator("[data-unread-line]")).toBeInViewport();
  const line = await page.locator("[data-unread-line]").boundingBox();
  const message = await page.locator(`[data-event-id="${first}"]`).boundingBox();
  expect(Math.abs(message!.y - line!.y - line!.height)).toBeLessThanOrEqual(1);
});

async function ownReceipt(orvale: Orvale, roomId: string): Promise<string | undefined> {
  const ada = await Person.logIn(orvale.address, "ada");
  const filter = JSON.stringify({ room: { rooms: [roomId], timeline: { limit: 1 } } });
  const sync = await ada.ask<{
    rooms: { join: Record<string, { ephemeral: { events: { type: string; content: Record<string, Record<string, Record<string, unknown>>> }[] } }> };
  }>(`/_matrix/client/v3/sync?filter=${encodeURIComponent(filter)}`);
  for (const { type, content } of sync.rooms.join[roomId]?.ephemeral.events ?? []) {
    if (type !== "m.receipt") continue;
    for (const [id, kinds] of Object.entries(content)) if (kinds["m.read"]?.[ada.userId]) return id;
  }
  return undefined;
}

test("SCR-A7: a jump puts its message into the middle third, marks it for two seconds and focuses it", async ({ page, orvale }) => {
  const { ben, roomId, ids } = await longRoom(orvale, "Jumping", 200);
  await ben.send(roomId, {
    msgtype: "m.text",
    body: "as I said",
    "m.relates_to": { "m.in_reply_to": { event_id: ids[20] } },
  });
  await logIn(page, "ada");
  await open(page, "Jumping");
  await saying(page, "as I said").getByRole("button", { name: /message 21/ }).click();
  const target = page.locator(`[data-event-id="${ids[20]!}"]`);
  await expect(target).toBeFocused();
  await expect(target).toHaveAttribute("data-marked", "true");
  const marked = Date.now();
  await inMiddleThird(page, ids[20]!);
  await expect(target).not.toHaveAttribute("data-marked", "true");
  expect(Date.now() - marked).toBeGreaterThan(1500);
  expect(Date.now() - marked).toBeLessThan(3500);

  // By address, into a part that is not loaded.
  await page.goto(`/chat/room/${encodeURIComponent(roomId)}/${encodeURIComponent(ids[100]!)}`);
  await expect(page.locator(`[data-event-id="${ids[100]!}"]`)).toBeFocused();
  await inMiddleThird(page, ids[100]!);
});

async function inMiddleThird(page: Page, id: string): Promise<void> {
  await rest(page);
  const where = await log(page).evaluate((element, eventId) => {
    const view = element.getBoundingClientRect();
    const box = element.querySelector(`[data-event-id="${CSS.escape(eventId)}"]`)!.getBoundingClientRect();
    return ((box.top + box.bottom) / 2 - view.top) / view.height;
  }, id);
  expect(where).toBeGreaterThan(1 / 3);
  expect(where).toBeLessThan(2 / 3);
}

test("A11-04, A11-05: the message with the focus stays on the page, wherever one scrolls", async ({ page, orvale }) => {
  await longRoom(orvale, "Focus", 160);
  await logIn(page, "ada");
  await open(page, "Focus");
  await expect(page.getByRole("log", { name: /Focus/ })).toBeVisible();
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  await saying(page, "message 160").focus();
  await page.keyboard.press("ArrowUp");
  await expect(saying(page, "message 159")).toBeFocused();
  for (let step = 0; step < 8; step += 1) {
    await wheel(page, -900);
    expect(await focused()).toContain("message 159");
  }
  await expect(saying(page, "message 159")).not.toBeInViewport();
  // From there the arrows lead on, and the view follows.
  await page.keyboard.press("ArrowUp");
  await expect(saying(page, "message 158")).toBeFocused();
  await expect(saying(page, "message 158")).toBeInViewport();
  // By keys alone through many messages: the focus is always on one, and always in view.
  for (let step = 0; step < 60; step += 1) await page.keyboard.press("ArrowUp");
  await expect(saying(page, "message 98")).toBeFocused();
  await expect(saying(page, "message 98")).toBeInViewport();
  await page.keyboard.press("End");
  await expect(saying(page, "message 160")).toBeFocused();
});

test("on a phone, whoever is at the end is offered no way to it", async ({ page, orvale }) => {
  const { ben, roomId } = await longRoom(orvale, "Phone", 40);
  await page.setViewportSize({ width: 390, height: 844 });
  await logIn(page, "ada");
  await open(page, "Phone");
  await expect(saying(page, "message 40")).toBeInViewport();
  await rest(page);
  await ben.say(roomId, "still here");
  await expect(saying(page, "still here")).toBeInViewport();
  await rest(page);
  expect(await gap(page)).toBe(0);
  await expect(page.getByRole("button", { name: "Jump to the newest message" })).toBeHidden();
});
