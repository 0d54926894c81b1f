import type { Page } from "@playwright/test";

import { handover, PASSWORD } from "../support/orvale.ts";
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
