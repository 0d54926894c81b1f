import { PASSWORD } from "../support/orvale.ts";
import { expect, logIn, test } from "../support/test.ts";

test("KEY-01: sign in, jump, change the theme and save it, without a mouse", async ({ page }) => {
  await page.goto("/chat");
  await expect(page.getByLabel("User name")).toBeFocused();
  await page.keyboard.type("chiara");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("banner")).toBeVisible();

  await page.keyboard.press("Control+k");
  await page.keyboard.type("theme: ocean");
  await page.keyboard.press("Enter");
  await expect(page.locator("html[data-theme='ocean']")).toBeAttached();

  await page.keyboard.press("Control+,");
  const theme = page.getByRole("radio", { name: "Ocean" });
  await expect(theme).toBeChecked();
  await theme.focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator("html[data-theme='forest']"), "THEME-12: shown before it is saved").toBeAttached();
  const saved = page.waitForResponse((answer) => answer.url().includes("com.orvale.preferences") && answer.ok());
  await page.getByRole("button", { name: "Save preferences" }).press("Enter");
  await saved;
  await page.reload();
  await expect(page.locator("html[data-theme='forest']")).toBeAttached();
});

test("what is typed before the switcher is there reaches it, and nothing else", async ({ page }) => {
  await logIn(page, "chiara");
  await page.getByRole("navigation", { name: "Conversations" }).getByText("Design").click();
  const field = page.getByRole("textbox", { name: /^Message to/ });
  await expect(field).toBeFocused();
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  await page.route(/Switcher/, async (route) => {
    await held;
    await route.continue();
  });
  await page.keyboard.press("Control+k");
  await page.keyboard.type("weo");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("lcome");
  await page.keyboard.press("Enter");
  await expect(field).toHaveValue("");
  release();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome");
  await expect(page.getByRole("textbox", { name: /^Message to/ })).toHaveValue("");
});

test("THEME-12: a theme that is not saved is gone when the dialog closes", async ({ page }) => {
  await logIn(page, "dmitri");
  await page.keyboard.press("Control+,");
  await page.getByRole("radio", { name: "Sunset" }).press("Space");
  await expect(page.locator("html[data-theme='sunset']")).toBeAttached();
  await page.keyboard.press("Escape");
  await expect(page.locator("html[data-theme='light']")).toBeAttached();
});

test("A11-03: a dialog takes the focus, keeps it, and gives it back", async ({ page }) => {
  await logIn(page, "ben");
  const opener = page.getByRole("button", { name: "Settings" });
  await opener.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Chat settings" });
  await expect(dialog).toBeVisible();
  for (let press = 0; press < 40; press += 1) {
    await page.keyboard.press("Tab");
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(opener).toBeFocused();
});

test("F6 leads from area to area, and a skip link to the conversations", async ({ page }) => {
  await logIn(page, "elif");
  const rooms = page.getByRole("navigation", { name: "Conversations" });
  const skip = page.getByRole("link", { name: "Skip to conversations" });
  await skip.focus();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  expect(await rooms.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  await rooms.getByText("Welcome").click();
  await expect(page.getByRole("article").first()).toBeVisible();
  const visited = new Set<string | null>();
  for (let press = 0; press < 5; press += 1) {
    await page.keyboard.press("F6");
    visited.add(
      await page.evaluate(() => document.activeElement?.closest("[data-region]")?.getAttribute("data-region") ?? null),
    );
  }
  expect([...visited].sort()).toEqual(["composer", "navigation", "rooms", "timeline"]);
});

test("A11-11: at 320 pixels nothing is lost, and nothing scrolls sideways", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await logIn(page, "ada");
  for (const place of ["/chat", "/chat?settings=appearance", "/chat?settings=devices", "/dev/gallery"]) {
    await page.goto(place);
    await expect(page.locator("h1, h2, [role=tabpanel]").first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), place).toBeLessThanOrEqual(320);
  }
});

test("CALM-05: without a connection that is said after three seconds, and the field stays", async ({ page, context }) => {
  await logIn(page, "ada");
  await page.getByRole("navigation", { name: "Conversations" }).getByText("Ben Lindqvist").click();
  await expect(page.getByRole("article").first()).toBeVisible();
  await context.setOffline(true);
  await expect(page.getByText(/^No connection/).first()).toBeVisible();
  await expect(page.getByRole("textbox").first()).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByTestId("offline")).toHaveCount(0);
});
