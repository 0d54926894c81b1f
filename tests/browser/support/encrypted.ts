// Conversations that are encrypted, and the people in them.

import type { Browser, BrowserContextOptions, Page } from "@playwright/test";

import type { Orvale } from "./orvale.ts";
import { expect, go, logIn } from "./test.ts";

export async function another(browser: Browser, user: string, address: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", baseURL: address, ...options });
  const page = await context.newPage();
  await logIn(page, user);
  return page;
}

/** Two people with a conversation of their own. */
export async function twoPeople(orvale: Orvale, one: string, other: string) {
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

export const screen = (page: Page, name: string) => page.screenshot({ path: `../artifacts/screens/encryption-${name}.png` });

export const field = (page: Page) => page.getByRole("textbox", { name: /^Message to/ });

export const message = (page: Page, text: string | RegExp) => page.getByRole("article").filter({ hasText: text }).last();

export async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press("Enter");
  await expect(message(page, text)).toHaveAttribute("data-event-id", /^\$/);
}

/** Waits until a device of somebody has keys: before, nobody can write to it. */
export async function canBeWrittenTo(orvale: Orvale, token: string, userId: string): Promise<void> {
  const keys = async () => {
    const body = { device_keys: { [userId]: [] } };
    const { device_keys } = await orvale.ask<{ device_keys: Record<string, object> }>("/_matrix/client/v3/keys/query", { token, body });
    return Object.keys(device_keys[userId] ?? {}).length;
  };
  await expect.poll(keys).toBeGreaterThan(0);
}

export async function encrypt(orvale: Orvale, token: string, roomId: string): Promise<void> {
  await orvale.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.encryption/`, {
    method: "PUT",
    token,
    body: { algorithm: "m.megolm.v1.aes-sha2" },
  });
}

export async function open(page: Page, roomId: string): Promise<void> {
  await go(page, `/chat/room/${encodeURIComponent(roomId)}`);
  await expect(field(page)).toBeVisible();
}

/** Sets up encryption as one does; the recovery key that was shown. */
export async function setUp(page: Page, passphrase = ""): Promise<string> {
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
export async function compare(asking: Page, asked: Page): Promise<void> {
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
