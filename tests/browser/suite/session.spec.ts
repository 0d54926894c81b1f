import type { Page } from "@playwright/test";

import { handover, PASSWORD } from "../support/orvale.ts";
import { Person } from "../support/person.ts";
import { expect, logIn, test, violations } from "../support/test.ts";

const rooms = (page: Page) => page.getByRole("navigation", { name: "Conversations" });
const screen = (page: Page, name: string) => page.screenshot({ path: `../artifacts/screens/session-${name}.png` });

test("ARC-06: the management system hands somebody over with a signed token", async ({ page }) => {
  await page.goto(`/chat#token=${handover({ sub: "wanda", name: "Wanda Vogel" })}`);
  await expect(page.getByRole("button", { name: /^Your account: / })).toBeVisible();
  expect(page.url()).not.toContain("token");
  await page.reload();
  await expect(page.getByRole("button", { name: /^Your account: / })).toBeVisible();
});

test("a session that ends in one tab ends in all, and leaves nothing", async ({ page, context }) => {
  await logIn(page, "elif");
  const other = await context.newPage();
  await other.goto("/chat");
  await expect(rooms(other)).toBeVisible();
  await page.getByRole("button", { name: /^Your account/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  for (const tab of [page, other]) await expect(tab.getByRole("heading", { name: /Log in to/ })).toBeVisible({ timeout: 5_000 });
  await expect
    .poll(() => other.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name?.includes("@elif"))))
    .toEqual([]);
});

test("handed over once more, all tabs go on as one device; logged out elsewhere, they say so and keep nothing that was begun", async ({
  page,
  context,
  orvale,
}) => {
  const user = `twice-${Date.now()}`;
  await orvale.register(user);
  const person = await Person.logIn(orvale.address, user);
  const room = await person.create({ name: "Two doors" });
  const place = `/chat/room/${encodeURIComponent(room)}`;
  const devices = () => person.ask<{ devices: { device_id: string }[] }>("/_matrix/client/v3/devices").then(({ devices }) => devices.length);
  await page.goto(`${place}#token=${handover({ sub: user })}`);
  const field = (tab: Page) => tab.getByRole("textbox", { name: /^Message to/ });
  await expect(field(page)).toBeVisible();
  const before = await devices();
  const other = await context.newPage();
  await other.goto(place);
  await expect(field(other)).toBeVisible();
  // A tab that is open already is not loaded again by what stands behind the sign.
  await other.evaluate((token) => (location.hash = `#token=${token}`), handover({ sub: user }));
  await expect(other).toHaveURL(place);
  for (const [tab, text] of [
    [page, "from the one tab"],
    [other, "from the other tab"],
  ] as const) {
    await field(tab).fill(text);
    await field(tab).press("Enter");
    await expect(tab.getByRole("article").filter({ hasText: text })).toHaveAttribute("data-event-id", /^\$/);
  }
  expect(await devices()).toBe(before);
  await field(page).fill("begun and not sent");
  await expect(field(other)).toHaveValue("begun and not sent");
  await person.ask("/_matrix/client/v3/logout/all", "POST", {});
  for (const tab of [page, other]) await expect(tab.getByText(/^This device was logged out/)).toBeVisible();
  expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("orvale.draft")))).toEqual([]);
});

test("a soft logout keeps everything for who logs in again", async ({ page, context, orvale }) => {
  await logIn(page, "ben");
  await rooms(page).getByRole("button", { name: /Ada Okafor/ }).first().click();
  await expect(page.getByRole("article").first()).toBeVisible();
  const device = () =>
    page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? "").find((name) => name.includes("orvale:@ben")));
  const before = await device();
  await context.route(/\/_matrix\/client\/v3\/(sync|refresh)/, (route) =>
    route.fulfill({
      status: 401,
      contentType: "application/json",
      body: JSON.stringify({ errcode: "M_UNKNOWN_TOKEN", error: "expired", soft_logout: true }),
    }),
  );
  await page.reload();
  await expect(page.getByText(/^Your session has ended/)).toBeVisible();
  await expect(page.getByLabel("User name")).toHaveValue("@ben:test.example");
  await screen(page, "soft");
  expect(await violations(page)).toEqual([]);
  expect(await device()).toBe(before);
  await context.unroute(/\/_matrix\/client\/v3\/(sync|refresh)/);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await expect(rooms(page)).toBeVisible();
  expect(await device(), "it goes on as the same device").toBe(before);
  expect(orvale.address).toBeTruthy();
});

test("the password is changed, and the account is ended", async ({ page, orvale }) => {
  await orvale.register("xenia");
  await logIn(page, "xenia");
  await page.goto("/chat?settings=security");
  await page.getByRole("button", { name: "Change password" }).click();
  const dialog = page.getByRole("dialog", { name: "Change password" });
  const change = async (old: string) => {
    await dialog.getByLabel("Your password").fill(old);
    await dialog.getByLabel("New password", { exact: true }).fill("a much better one");
    await dialog.getByLabel("Repeat the new password").fill("a much better one");
    await dialog.getByRole("button", { name: "Change password" }).click();
  };
  await change("wrong");
  await expect(dialog.getByText("Wrong password.")).toBeVisible();
  await screen(page, "password");
  expect(await violations(page)).toEqual([]);
  await change(PASSWORD);
  await expect(dialog).toBeHidden();
  const { access_token } = await orvale.ask<{ access_token: string }>("/_matrix/client/v3/login", {
    body: { type: "m.login.password", identifier: { type: "m.id.user", user: "xenia" }, password: "a much better one" },
  });
  expect(access_token).toBeTruthy();

  await page.getByRole("button", { name: "Deactivate for good" }).click();
  const last = page.getByRole("dialog", { name: "Deactivate account" });
  await expect(last.getByRole("button", { name: "Deactivate for good" })).toBeDisabled();
  await last.getByLabel(/^Type @xenia/).fill("@xenia:test.example");
  await last.getByLabel("Your password").fill("a much better one");
  await page.setViewportSize({ width: 390, height: 844 });
  await screen(page, "deactivate-phone");
  expect(await violations(page)).toEqual([]);
  await last.getByRole("button", { name: "Deactivate for good" }).click();
  await expect(page.getByRole("heading", { name: /Log in to/ })).toBeVisible();
  const refused = await orvale
    .ask("/_matrix/client/v3/login", {
      body: { type: "m.login.password", identifier: { type: "m.id.user", user: "xenia" }, password: "a much better one" },
    })
    .then(
      () => "",
      (error: unknown) => String(error),
    );
  expect(refused).toContain("M_USER_DEACTIVATED");
});
