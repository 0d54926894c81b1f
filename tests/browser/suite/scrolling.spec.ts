import type { Page } from "@playwright/test";

import { PASSWORD, type Orvale } from "../support/orvale.ts";
import { expect, logIn, test } from "../support/test.ts";

interface Someone {
  readonly token: string;
  readonly userId: string;
}

async function someone(orvale: Orvale, user: string): Promise<Someone> {
  const answer = await orvale.ask<{ access_token: string; user_id: string }>("/_matrix/client/v3/login", {
    body: {
      type: "m.login.password",
      identifier: { type: "m.id.user", user },
      password: PASSWORD,
    },
  });
  return { token: answer.access_token, userId: answer.user_id };
}

let sent = 0;
async function write(orvale: Orvale, who: Someone, roomId: string, body: string): Promise<void> {
  sent += 1;
  await orvale.ask(
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t${String(sent)}`,
    {
      method: "PUT",
      token: who.token,
      body: { msgtype: "m.text", body },
    },
  );
}

/** A channel with many messages by Ben, which Ada is in. */
async function longRoom(
  orvale: Orvale,
  name: string,
  messages: number,
): Promise<{ ben: Someone; roomId: string }> {
  const ben = await someone(orvale, "ben");
  const ada = await someone(orvale, "ada");
  const { room_id: roomId } = await orvale.ask<{ room_id: string }>("/_matrix/client/v3/createRoom", {
    token: ben.token,
    body: { name, preset: "public_chat" },
  });
  await orvale.ask(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {
    token: ada.token,
    body: {},
  });
  for (let number = 1; number <= messages; number += 1) {
    await write(
      orvale,
      ben,
      roomId,
      `message ${String(number)}${number % 7 === 0 ? " and a second line\nfor another height" : ""}`,
    );
  }
  return { ben, roomId };
}

async function open(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Conversations" }).getByRole("button", { name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}

const log = (page: Page) => page.getByRole("log");
/** How far the view is from the bottom. */
const gap = (page: Page) =>
  log(page).evaluate((element) =>
    Math.round(element.scrollHeight - element.clientHeight - element.scrollTop),
  );
/** Where the first message that is wholly in view stands. */
const firstInView = (page: Page) =>
  log(page).evaluate((element) => {
    const top = element.getBoundingClientRect().top;
    for (const item of element.querySelectorAll<HTMLElement>("[role=article]")) {
      const box = item.getBoundingClientRect();
      if (box.top >= top)
        return {
          id: item.dataset["eventId"] ?? "",
          at: Math.round(box.top - top),
        };
    }
    return { id: "", at: 0 };
  });
const placeOf = (page: Page, id: string) =>
  log(page).evaluate((element, eventId) => {
    const item = element.querySelector(`[data-event-id="${CSS.escape(eventId)}"]`);
    return item ? Math.round(item.getBoundingClientRect().top - element.getBoundingClientRect().top) : null;
  }, id);
/** Lets what was just scrolled come to rest: two equal measurements in a row. */
async function rest(page: Page): Promise<void> {
  let before = "";
  await expect
    .poll(async () => {
      const now = JSON.stringify([await firstInView(page), await gap(page)]);
      const same = now === before;
      before = now;
      return same;
    })
    .toBe(true);
}

test("SCR-A1, SCR-A2, SCR-A5: the bottom stays the bottom, and reading is never disturbed", async ({
  page,
  orvale,
}) => {
  const { ben, roomId } = await longRoom(orvale, "Scrolling", 120);
  await logIn(page, "ada");
  await open(page, "Scrolling");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("article").filter({ hasText: "message 120" })).toBeVisible();
  await expect.poll(() => gap(page)).toBeLessThanOrEqual(1);

  await write(orvale, ben, roomId, "one more");
  await expect(page.getByRole("article").filter({ hasText: "one more" })).toBeInViewport();
  await expect.poll(() => gap(page)).toBeLessThanOrEqual(1);

  // The composer grows, the window shrinks.
  await page.getByRole("textbox", { name: /^Message to/ }).fill("a\nb\nc\nd\ne");
  await expect.poll(() => gap(page)).toBeLessThanOrEqual(1);
  await page.setViewportSize({ width: 1440, height: 640 });
  await expect.poll(() => gap(page)).toBeLessThanOrEqual(1);
  await page.getByRole("textbox", { name: /^Message to/ }).fill("");

  // Reading older ones.
  await log(page).hover();
  await page.mouse.wheel(0, -900);
  await rest(page);
  const reading = await firstInView(page);
  await write(orvale, ben, roomId, "not now");
  await write(orvale, ben, roomId, "nor this");
  const pill = page.getByRole("button", { name: "2 new messages" });
  await expect(pill).toBeVisible();
  expect(await placeOf(page, reading.id)).toBe(reading.at);
  await pill.click();
  await expect(page.getByRole("article").filter({ hasText: "nor this" })).toBeInViewport();
  await expect(pill).toBeHidden();
});

test("SCR-A6, SCR-A9: history is read to its beginning, coming back finds the place, and the page stays small", async ({
  page,
  orvale,
}) => {
  await longRoom(orvale, "History", 260);
  await logIn(page, "ada");
  await open(page, "History");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("article").filter({ hasText: "message 260" })).toBeVisible();
  await log(page).hover();
  // Up to the beginning, page after page.
  let shifted = 0;
  for (let step = 0; step < 80; step += 1) {
    await rest(page);
    if (await page.getByText("This is where History begins.").isVisible()) break;
    const before = await firstInView(page);
    await page.mouse.wheel(0, -300);
    await rest(page);
    const after = await placeOf(page, before.id);
    // At the very top the wheel has nothing left to move.
    const top = await log(page).evaluate((element) => element.scrollTop);
    if (after !== null && top > 0) shifted = Math.max(shifted, Math.abs(after - before.at - 300));
  }
  await expect(page.getByText("This is where History begins.")).toBeVisible();
  // SCR-A3 asks for 1 px: not reached yet, so it is told and not claimed.
  test
    .info()
    .annotations.push({
      type: "largest shift in px while pages are loaded above",
      description: String(shifted),
    });
  expect(await log(page).evaluate((element) => element.querySelectorAll("*").length)).toBeLessThanOrEqual(
    3000,
  );

  await page.mouse.wheel(0, 1500);
  await rest(page);
  const left = await firstInView(page);
  await open(page, "Welcome");
  await open(page, "History");
  await expect.poll(() => placeOf(page, left.id)).not.toBeNull();
  await rest(page);
  expect(Math.abs((await placeOf(page, left.id))! - left.at)).toBeLessThanOrEqual(1);
});
