import { join } from "node:path";

import type { Page } from "@playwright/test";

import { Person } from "../support/person.ts";
import { expect, goToDialog, logIn, test, THEMED, themes, violations } from "../support/test.ts";

// Each main screen is drawn once and looked at in all themes: everything axe knows in the first, what hangs on colours in all of them.

/** Where pictures of the screens go: for people to look at. Git ignores it. */
const artifacts = join(import.meta.dirname, "../../artifacts/screens");

const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

type Theme = (typeof themes)[number];
type Size = keyof typeof sizes;

// Colours do not fade from one theme into the next: what is measured is what stays.
test.use({ trace: "off", contextOptions: { reducedMotion: "reduce" } });
test.setTimeout(300_000);

const painted = (page: Page, theme: Theme) =>
  expect(page.locator(`html[data-theme="${theme === "auto" ? "light" : theme}"]`)).toBeAttached();

/** Looks at a screen in all themes, one size at a time. `wear` puts a theme on. */
async function look(page: Page, name: string, wear: (theme: Theme) => Promise<void>, wanted: readonly Size[] = ["desktop"]): Promise<void> {
  const found: Record<string, string[]> = {};
  for (const theme of themes) {
    await wear(theme);
    await painted(page, theme);
    for (const size of wanted) {
      await page.setViewportSize(sizes[size]);
      await page.screenshot({ path: join(artifacts, `${theme}-${name}-${size}.png`), animations: "disabled" });
      const broken = await violations(page, ...(theme === themes[0] ? [] : ([THEMED, "[role=dialog]"] as const)));
      if (broken.length > 0) found[`${theme} ${size}`] = broken;
    }
  }
  await page.setViewportSize(sizes.desktop);
  expect.soft(found, name).toEqual({});
}

/** What the account says of the theme, as another of its devices would set it. */
const byAccount = (person: Person) => (theme: Theme) =>
  person.ask<void>(`/_matrix/client/v3/user/${encodeURIComponent(person.userId)}/account_data/com.orvale.preferences`, "PUT", { theme });

test("A11-01, CTR-02: no violation in any theme: the login page", async ({ page }) => {
  await page.goto("/chat");
  await look(
    page,
    "login",
    async (theme) => {
      await page.evaluate((name) => localStorage.setItem("orvale.preferences", JSON.stringify({ theme: name })), theme);
      await page.reload();
      await expect(page.getByLabel("User name")).toBeVisible();
    },
    ["desktop", "phone"],
  );
});

test("A11-01, CTR-02: no violation in any theme: the rooms, a conversation, what stands above them", async ({ page, orvale }) => {
  const wear = byAccount(await Person.logIn(orvale.address, "ada"));
  await wear("auto");
  await logIn(page, "ada");
  const rooms = page.getByRole("navigation", { name: "Conversations" });
  await expect(rooms.getByText("Ben Lindqvist")).toBeVisible();
  await look(page, "start", wear, ["desktop", "phone"]);
  await rooms.getByText("Ben Lindqvist").click();
  await expect(page.getByRole("article").first()).toBeVisible();
  await look(page, "conversation", wear, ["desktop", "phone"]);
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await look(page, "switcher", wear);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+/");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await look(page, "keys", wear);
  await wear("auto");
});

test("A11-01, CTR-02: no violation in any theme: the settings", async ({ page, orvale }) => {
  const wear = byAccount(await Person.logIn(orvale.address, "ada"));
  await wear("auto");
  await logIn(page, "ada");
  for (const section of ["appearance", "notifications", "messages", "profile", "devices"]) {
    await goToDialog(page, "/chat", `settings=${section}`);
    await expect(page.getByRole("tabpanel")).toHaveText(/\w{3}/);
    await look(page, `settings-${section}`, wear, section === "appearance" || section === "profile" ? ["desktop", "phone"] : ["desktop"]);
  }
  await wear("auto");
});

test("A11-01, CTR-02: no violation in any theme: the gallery", async ({ page }) => {
  const wear = (theme: Theme) =>
    page.evaluate((name) => {
      history.replaceState(null, "", `/dev/gallery?theme=${name}`);
      dispatchEvent(new PopStateEvent("popstate"));
    }, theme);
  await page.goto("/dev/gallery");
  await expect(page.getByRole("heading", { name: "Components" })).toBeVisible();
  await look(page, "gallery", wear);
  await page.getByRole("button", { name: "Open a dialog" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await look(page, "gallery-dialog", wear);
});
