import { join } from "node:path";

import type { Page } from "@playwright/test";

import { Person } from "../support/person.ts";
import { expect, logIn, test, violations } from "../support/test.ts";

const artifacts = join(import.meta.dirname, "../../artifacts/screens");
const phone = { width: 390, height: 844 };
const desktop = { width: 1440, height: 900 };

const dialog = (page: Page) => page.getByRole("dialog", { name: "Search" });
const field = (page: Page) => dialog(page).getByRole("combobox");

/** A picture of the page on both sizes, and what axe says of each. */
async function look(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries({ phone, desktop })) {
    await page.setViewportSize(viewport);
    await page.screenshot({
      path: join(artifacts, `${name}-${size}.png`),
      animations: "disabled",
    });
    expect(await violations(page), `${name} on ${size}`).toEqual([]);
  }
}

/** What is to be found, in a room of Chiara's, once the index has it. */
async function seed(address: string): Promise<void> {
  const chiara = await Person.logIn(address, "chiara");
  const room = await chiara.create({
    name: "Orchard",
    preset: "public_chat",
    visibility: "public",
  });
  await chiara.say(room, "The quince harvest begins on Monday");
  for (let n = 0; n < 60; n += 1)
    await chiara.say(room, `Line ${n} of the long list`);
  const file = await chiara.upload(
    "quince-recipe.txt",
    "text/plain",
    "Peel them first.",
  );
  const info = { mimetype: "text/plain", size: 16 };
  const name = "quince-recipe.txt";
  await chiara.send(room, {
    msgtype: "m.file",
    body: name,
    filename: name,
    url: file,
    info,
  });
  await expect.poll(async () => (await chiara.search("quince")).length).toBe(2);
}

test("SRCH-01..08: found by words in four groups, opened at its place, filtered by chips", async ({
  page,
  orvale,
}) => {
  await seed(orvale.address);
  await logIn(page, "chiara");
  await page.getByRole("button", { name: /Search all chats/ }).click();
  await expect(field(page)).toBeFocused();
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/v3/search"))
      asked.push(request.postData() ?? "");
  });
  await look(page, "search-empty");
  expect(asked, "SRCH-04: an empty field asks nothing").toEqual([]);
  await field(page).pressSequentially("quince", { delay: 20 });
  const messages = dialog(page).getByRole("region", { name: "Messages" });
  await expect(
    messages.getByRole("button", { name: /quince harvest/ }),
  ).toBeVisible();
  await expect(messages.locator("mark")).toHaveText("quince");
  await expect(
    dialog(page)
      .getByRole("region", { name: "Files" })
      .getByText("quince-recipe.txt"),
  ).toBeVisible();
  expect(asked.length, "SRCH-04: it is asked after a rest").toBeLessThanOrEqual(
    4,
  );
  await look(page, "search");

  // SCR-A7: the hit lies 60 messages up; it is opened in view, with the focus on it.
  await field(page).press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(dialog(page)).toBeHidden();
  const hit = page.getByRole("article").filter({ hasText: "quince harvest" });
  await expect(hit).toBeFocused();
  await expect(hit).toBeInViewport({ ratio: 1 });

  // Back leads to what was found.
  await page.goBack();
  await expect(field(page)).toHaveValue("quince");

  // SRCH-07 and SRCH-08: people and channels.
  await field(page).fill("ben");
  await expect(
    dialog(page).getByRole("button", { name: "Message Ben Lindqvist" }),
  ).toBeVisible();
  await field(page).fill("welcome");
  await expect(
    dialog(page).getByRole("button", { name: "Open Welcome" }),
  ).toBeVisible();
  await look(page, "search-people");

  // Filters: by whom, with what, from when.
  await field(page).fill("quince from:chi");
  await expect(
    dialog(page).getByRole("option", { name: /Chiara Moretti/ }),
  ).toBeVisible();
  await look(page, "search-filter");
  await field(page).press("Enter");
  await expect(dialog(page).getByText("from: Chiara Moretti")).toBeVisible();
  await expect(
    dialog(page).getByRole("button", { name: /quince harvest/ }),
  ).toBeVisible();
  await field(page).pressSequentially(" has:file ");
  await expect(dialog(page).getByText("has: File")).toBeVisible();
  await expect(
    dialog(page).getByRole("button", { name: /quince harvest/ }),
  ).toBeHidden();
  await expect(
    dialog(page).getByRole("button", { name: /^File quince-recipe\.txt/ }),
  ).toBeVisible();
  await dialog(page)
    .getByRole("button", { name: "Remove the filter File" })
    .click();
  await field(page).fill("quince before:2020-01-01");
  await field(page).press("Enter");
  await expect(dialog(page).getByText("Nothing found")).toBeVisible();
  await look(page, "search-nothing");
});

test("SRCH-03, SRCH-08: others find only what they may read, and join from the search", async ({
  page,
  orvale,
}) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const secret = await ben.create({ name: "Cellar", preset: "private_chat" });
  await ben.say(secret, "The password of the rutabaga is parsnip");
  const open = await ben.create({
    name: "Rutabaga club",
    preset: "public_chat",
    visibility: "public",
    topic: "Roots",
  });
  await ben.say(open, "Rutabaga of the month");
  await expect
    .poll(async () => (await ben.search("rutabaga month")).length)
    .toBe(1);
  await logIn(page, "dmitri");
  await page.keyboard.press("Control+Shift+F");
  await field(page).fill("rutabaga");
  const join = dialog(page).getByRole("button", { name: "Join Rutabaga club" });
  await expect(join).toBeVisible();
  await expect(
    dialog(page).getByRole("region", { name: "Messages" }),
  ).toHaveCount(0);
  await join.click();
  await expect(
    page.getByRole("heading", { level: 1, name: "Rutabaga club" }),
  ).toBeVisible();
  await expect(
    page.getByRole("article").filter({ hasText: "Rutabaga of the month" }),
  ).toBeVisible();
});

test("SRCH-09: Ctrl+F searches the open conversation beside it", async ({
  page,
  orvale,
}) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Shed", preset: "public_chat" });
  await ben.say(room, "The turnip is in the shed");
  for (let n = 0; n < 40; n += 1) await ben.say(room, `Tool ${n}`);
  await ben.say(await ben.create({ name: "Elsewhere" }), "A turnip elsewhere");
  await expect.poll(async () => (await ben.search("turnip")).length).toBe(2);
  await logIn(page, "ben");
  await page
    .getByRole("navigation", { name: "Conversations" })
    .getByText("Shed")
    .first()
    .click();
  await expect(page.getByRole("article").first()).toBeVisible();
  await page.keyboard.press("Control+f");
  const panel = page.getByRole("complementary", { name: "Details" });
  await expect(
    panel.getByRole("combobox", { name: "Search in this conversation" }),
  ).toBeFocused();
  await page.keyboard.type("turnip");
  await expect(
    panel.getByRole("button", { name: /turnip is in the shed/ }),
  ).toBeVisible();
  await expect(panel.getByRole("button", { name: /elsewhere/ })).toHaveCount(0);
  await look(page, "search-room");
  await panel.getByRole("button", { name: /turnip is in the shed/ }).click();
  await expect(
    page.getByRole("article").filter({ hasText: "turnip is in the shed" }),
  ).toBeFocused();
  await expect(panel).toBeVisible();
  // Once more, after something else had the focus.
  await panel.getByRole("combobox").focus();
  await panel.getByRole("button", { name: /turnip is in the shed/ }).click();
  await expect(page.getByRole("article").filter({ hasText: "turnip is in the shed" })).toBeFocused();
});

test("the quick switcher leads to people and commands", async ({ page }) => {
  await logIn(page, "elif");
  const switcher = page.getByRole("combobox", { name: "Jump to" });
  await page.keyboard.press("Control+k");
  await expect(switcher).toBeFocused();
  await page.keyboard.type("dmitri");
  await page
    .getByRole("option", { name: /Dmitri Sokolov/ })
    .first()
    .click();
  await expect(
    page.getByRole("heading", { level: 1, name: "Dmitri Sokolov" }),
  ).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(switcher).toBeFocused();
  await page.keyboard.type("search everywhere");
  await expect(switcher).toHaveValue("search everywhere");
  await page.keyboard.press("Enter");
  await expect(field(page)).toBeFocused();
});
