import { join } from "node:path";

import type { Page } from "@playwright/test";

import { Person } from "../support/person.ts";
import { expect, go, logIn, test, violations } from "../support/test.ts";

const artifacts = join(import.meta.dirname, "../../artifacts/screens");

async function look(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries({
    phone: { width: 390, height: 844 },
    desktop: { width: 1440, height: 900 },
  })) {
    await page.setViewportSize(viewport);
    await page.screenshot({ path: join(artifacts, `${name}-${size}.png`), animations: "disabled" });
    expect(await violations(page), `${name} on ${size}`).toEqual([]);
  }
}

const message = (page: Page, text: string) => page.getByRole("article").filter({ hasText: text }).last();
const panel = (page: Page) => page.getByRole("complementary", { name: "Details" });

async function menu(page: Page, text: string, item: string): Promise<void> {
  await message(page, text).focus();
  await page.keyboard.press("m");
  await page.getByRole("menuitem", { name: item }).click();
}

async function open(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Conversations" }).getByText(name).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page.getByRole("article").first()).toBeVisible();
}

test("pinned by who may, seen by all, and taken down", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Greenhouse", preset: "public_chat", invite: ["@ada:test.example"] });
  const rule = await ben.say(room, "Water the ferns at nine");
  const ada = await Person.logIn(orvale.address, "ada");
  await ada.join(room);
  await logIn(page, "ben");
  await open(page, "Greenhouse");
  await menu(page, "Water the ferns", "Pin for everybody");
  const pins = page.getByRole("button", { name: "Pinned messages (1)" });
  await expect(pins).toBeVisible();
  await pins.click();
  await expect(panel(page).getByRole("button", { name: /Water the ferns/ })).toBeVisible();
  await look(page, "pinned");
  const state = await ada.ask<{ pinned: string[] }>(
    `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/m.room.pinned_events`,
  );
  expect(state).toEqual({ pinned: [rule] });
  await panel(page).getByRole("button", { name: /Water the ferns/ }).click();
  await expect(message(page, "Water the ferns")).toBeInViewport();
  await panel(page).getByRole("button", { name: "Unpin" }).click();
  await expect(panel(page).getByText("Nothing pinned yet")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Pinned messages/ })).toHaveCount(0);
});

test("who has not the power is not offered to pin", async ({ page }) => {
  await logIn(page, "elif");
  await open(page, "Help desk");
  await page.getByRole("article").last().focus();
  await page.keyboard.press("m");
  await expect(page.getByRole("menuitem", { name: "Save for later" })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: "Pin for everybody" })).toHaveCount(0);
});

test("saved for later, listed, opened from there, and let go", async ({ page, orvale }) => {
  const chiara = await Person.logIn(orvale.address, "chiara");
  const room = await chiara.create({ name: "Library", preset: "public_chat" });
  const event = await chiara.say(room, "The atlas is on shelf nine");
  await logIn(page, "chiara");
  await open(page, "Library");
  await menu(page, "The atlas", "Save for later");
  await page.getByRole("button", { name: /^Your account/ }).click();
  await page.getByRole("menuitem", { name: "Saved messages" }).click();
  const saved = page.getByRole("dialog", { name: "Saved messages" });
  await expect(saved.getByRole("button", { name: /The atlas is on shelf nine/ })).toBeVisible();
  await look(page, "saved");
  const kept = await chiara.ask<{ messages: { event_id: string; room_id: string }[] }>(
    `/_matrix/client/v3/user/${encodeURIComponent(chiara.userId)}/account_data/com.orvale.saved`,
  );
  expect(kept.messages).toEqual([{ event_id: event, room_id: room, saved_at: expect.any(Number) }]);
  await saved.getByRole("button", { name: /The atlas/ }).click();
  await expect(saved).toBeHidden();
  await expect(message(page, "The atlas")).toBeInViewport();
  await menu(page, "The atlas", "Remove from saved messages");
  await page.goto("/chat?saved=");
  await expect(saved.getByText("Nothing saved yet")).toBeVisible();
});

test("forwarded to other conversations with its file, without what it answered", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const from = await ben.create({ name: "Source", preset: "public_chat" });
  const [one, two] = [await ben.create({ name: "Target one" }), await ben.create({ name: "Target two" })];
  const asked = await ben.say(from, "Where is the plan?");
  const url = await ben.upload("plan.txt", "text/plain", "the plan");
  await ben.send(from, {
    msgtype: "m.file",
    body: "plan.txt",
    filename: "plan.txt",
    url,
    info: { mimetype: "text/plain", size: 8 },
    "m.relates_to": { "m.in_reply_to": { event_id: asked } },
    "m.mentions": { user_ids: ["@ada:test.example"] },
  });
  await logIn(page, "ben");
  await open(page, "Source");
  await menu(page, "plan.txt", "Forward…");
  const dialog = page.getByRole("dialog", { name: "Forward message" });
  await dialog.getByRole("searchbox", { name: "Find a conversation" }).fill("target");
  await dialog.getByRole("checkbox", { name: "Target one" }).check();
  await dialog.getByRole("checkbox", { name: "Target two" }).check();
  await dialog.getByRole("textbox", { name: /Add a comment/ }).fill("As promised");
  await look(page, "forward");
  await dialog.getByRole("button", { name: "Forward to 2 conversations" }).click();
  await expect(dialog).toBeHidden();
  for (const room of [one, two]) {
    await expect.poll(async () => (await ben.newest(room))[0]?.content.msgtype).toBe("m.file");
    const [file, comment] = await ben.newest(room);
    expect(comment?.content.body).toBe("As promised");
    expect(file?.content).toEqual({
      msgtype: "m.file",
      body: "plan.txt",
      filename: "plan.txt",
      url,
      info: { mimetype: "text/plain", size: 8 },
      "m.mentions": {},
    });
  }
});

test("MSG-07: what a message said before is shown, and who reacted", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Drafts", preset: "public_chat" });
  const event = await ben.say(room, "We meet at tne");
  await ben.send(room, {
    msgtype: "m.text",
    body: "* We meet at ten",
    "m.new_content": { msgtype: "m.text", body: "We meet at ten" },
    "m.relates_to": { rel_type: "m.replace", event_id: event },
  });
  const ada = await Person.logIn(orvale.address, "ada");
  await ada.join(room);
  await ada.send(room, { "m.relates_to": { rel_type: "m.annotation", event_id: event, key: "👍" } }, "m.reaction");
  await logIn(page, "ben");
  await open(page, "Drafts");
  await menu(page, "We meet at ten", "Show earlier versions");
  const versions = page.getByRole("dialog", { name: "Earlier versions" });
  await expect(versions.getByRole("listitem")).toHaveCount(2);
  await expect(versions.getByRole("listitem").last()).toContainText("We meet at tne");
  await look(page, "versions");
  await page.keyboard.press("Escape");
  await menu(page, "We meet at ten", "Who reacted");
  await expect(page.getByRole("dialog", { name: "Reactions" }).getByRole("listitem")).toContainText("Ada Okafor");
  await look(page, "reactions");
});

test("MSG-10: the threads of a conversation are listed, with what is unread", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Workshop", preset: "public_chat" });
  const root = await ben.say(room, "Which saw is free?");
  const chiara = await Person.logIn(orvale.address, "chiara");
  await chiara.join(room);
  await chiara.send(room, {
    msgtype: "m.text",
    body: "The big one",
    "m.relates_to": {
      rel_type: "m.thread",
      event_id: root,
      is_falling_back: true,
      "m.in_reply_to": { event_id: root },
    },
  });
  await logIn(page, "ben");
  await open(page, "Workshop");
  await page.getByRole("button", { name: "Threads" }).click();
  const thread = panel(page).getByRole("button", { name: /Which saw is free.*1 reply.*1 unread/ });
  await expect(thread).toBeVisible();
  await look(page, "threads");
  await thread.click();
  await expect(panel(page).getByRole("article").filter({ hasText: "The big one" })).toBeVisible();
});

test("a link to a message of a thread opens that; on a phone going back leads out of it, loading again does not", async ({ page, orvale }) => {
  const user = `linked-${Date.now()}`;
  await orvale.register(user);
  const person = await Person.logIn(orvale.address, user);
  const room = await person.create({ name: "Workshop" });
  const root = await person.say(room, "Who has the drill?");
  const reply = await person.send(room, { msgtype: "m.text", body: "It is in the shed", "m.relates_to": { rel_type: "m.thread", event_id: root } });
  await page.setViewportSize({ width: 390, height: 844 });
  await logIn(page, user);
  await open(page, "Workshop");
  const place = `/chat/room/${encodeURIComponent(room)}`;
  await go(page, `${place}/${encodeURIComponent(reply)}`);
  const thread = page.getByRole("heading", { name: "Thread" });
  await expect(thread).toBeVisible();
  await expect(message(page, "It is in the shed")).toBeVisible();
  await page.reload();
  await expect(message(page, "It is in the shed")).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Workshop");
  await expect(thread).toHaveCount(0);
  await page.goForward();
  await expect(thread).toBeVisible();
});
