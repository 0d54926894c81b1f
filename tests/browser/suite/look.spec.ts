import { join } from "node:path";

import type { Page } from "@playwright/test";

import { expect, logIn, test, themes, violations } from "../support/test.ts";

/** Where pictures of the screens go: for people to look at. Git ignores it. */
const artifacts = join(import.meta.dirname, "../../artifacts/screens");

const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

/** Draws the page in a theme without waiting for the account: what is kept in the browser is used for the first paint. */
async function inTheme(page: Page, theme: string): Promise<void> {
  await page.evaluate((name) => {
    const kept = JSON.parse(localStorage.getItem("orvale.preferences") ?? "{}") as object;
    localStorage.setItem("orvale.preferences", JSON.stringify({ ...kept, theme: name }));
  }, theme);
  await page.reload();
  await expect(page.locator(`html[data-theme="${theme === "auto" ? "light" : theme}"]`)).toBeAttached();
}

for (const theme of themes) {
  test(`A11-01, CTR-02: no violation in ${theme}: login, chat, dialogs, gallery`, async ({ page }) => {
    const found: Record<string, string[]> = {};
    const look = async (name: string, size: keyof typeof sizes = "desktop") => {
      await page.setViewportSize(sizes[size]);
      await page.screenshot({ path: join(artifacts, `${theme}-${name}-${size}.png`), animations: "disabled" });
      const broken = await violations(page);
      if (broken.length > 0) found[`${name} ${size}`] = broken;
    };
    await page.goto("/chat");
    await inTheme(page, theme);
    await expect(page.getByLabel("User name")).toBeVisible();
    await look("login");
    await look("login", "phone");
    await page.setViewportSize(sizes.desktop);
    await logIn(page, "ada");
    await inTheme(page, theme);
    const rooms = page.getByRole("navigation", { name: "Conversations" });
    await expect(rooms.getByText("Ben Lindqvist")).toBeVisible();
    await look("start");
    await page.setViewportSize(sizes.phone);
    await look("rooms", "phone");
    await page.setViewportSize(sizes.desktop);
    await rooms.getByText("Ben Lindqvist").click();
    await expect(page.getByRole("article").first()).toBeVisible();
    await look("conversation");
    await look("conversation", "phone");
    await page.setViewportSize(sizes.desktop);
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("combobox")).toBeFocused();
    await look("switcher");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+/");
    await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
    await look("keys");
    await page.keyboard.press("Escape");
    for (const section of ["appearance", "notifications", "messages", "profile", "devices"]) {
      await page.goto(`/chat?settings=${section}`);
      await expect(page.getByRole("tabpanel")).toBeVisible();
      await look(`settings-${section}`);
      if (section === "appearance" || section === "profile") await look(`settings-${section}`, "phone");
      await page.setViewportSize(sizes.desktop);
    }
    await page.goto(`/dev/gallery?theme=${theme}`);
    await expect(page.getByRole("heading", { name: "Components" })).toBeVisible();
    await look("gallery");
    await page.setViewportSize(sizes.desktop);
    await page.getByRole("button", { name: "Open a dialog" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await look("gallery-dialog");
    expect(found).toEqual({});
  });
}
