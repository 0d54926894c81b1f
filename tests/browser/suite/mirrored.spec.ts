import { join } from "node:path";

import type { Locator, Page } from "@playwright/test";

import { Person } from "../support/person.ts";
import { expect, logIn, test, violations } from "../support/test.ts";

const artifacts = join(import.meta.dirname, "../../artifacts/screens");
const WIDTH = 1440;

async function room(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Conversations" }).getByText(name).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page.getByRole("article").first()).toBeVisible();
}

/** Where something stands, from the side on which reading begins. */
async function from(part: Locator, side: "left" | "right"): Promise<number> {
  const box = (await part.boundingBox())!;
  return Math.round(side === "left" ? box.x : WIDTH - box.x - box.width);
}

test("A11-14: from right to left the page is the same, mirrored; messages keep their own direction", async ({
  page,
  orvale,
}) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const id = await ben.create({ name: "Both ways", preset: "public_chat" });
  await ben.say(id, "An English sentence.");
  await ben.say(id, "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd, 123!");
  const parts = (): [string, Locator][] => {
    const row = page.getByRole("article").filter({ hasText: "An English sentence." });
    return [
      ["the list of conversations", page.getByRole("navigation", { name: "Conversations" })],
      ["the conversation", page.getByRole("main")],
      ["the field", page.getByRole("textbox", { name: /^Message to/ })],
      ["attaching", page.getByRole("button", { name: "Attach files" })],
      ["sending", page.getByRole("button", { name: "Send", exact: true })],
      ["the account", page.getByRole("button", { name: /^Your account/ })],
      ["a message", row],
      ["its picture", row.locator("> *").first()],
    ];
  };
  const places = async (side: "left" | "right") => {
    const found: Record<string, number> = {};
    for (const [name, part] of parts()) found[name] = await from(part, side);
    return found;
  };
  await logIn(page, "ben");
  await room(page, "Both ways");
  const before = await places("left");
  const hebrew = page.getByText("\u05e9\u05dc\u05d5\u05dd");
  await expect(hebrew).toHaveCSS("direction", "rtl");

  await page.goto("/chat?rtl");
  await expect(page.locator("html")).toHaveAttribute("dir", "rtl");
  await room(page, "Both ways");
  const after = await places("right");
  for (const [name, place] of Object.entries(before))
    expect(Math.abs((after[name] ?? -1000) - place), `${name}: ${place} and ${after[name]}`).toBeLessThanOrEqual(2);
  await expect(hebrew).toHaveCSS("direction", "rtl");
  await expect(page.getByText("An English sentence.").last()).toHaveCSS("direction", "ltr");
  // What happened to the room is told in the page's words, and so in its direction.
  await expect(page.getByText(/created this conversation/)).toHaveCSS("direction", "rtl");
  await expect(page.getByRole("button", { name: "Send", exact: true }).locator("svg")).toHaveCSS("scale", "-1 1");
  const list = page.getByRole("navigation", { name: "Conversations" });
  await expect(list.getByText("Both ways")).toHaveCSS("text-align", "right");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(WIDTH);
  await page.screenshot({ path: join(artifacts, "mirrored.png") });
  expect(await violations(page)).toEqual([]);

  // What Material UI places by itself is mirrored as well: a switch that is on has its knob at the end.
  await page.getByRole("button", { name: /^Settings/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("tab", { name: "Notifications" }).click();
  const on = dialog.getByRole("switch", { checked: true }).first();
  await expect(on).toBeVisible();
  const track = on.locator("xpath=ancestor::*[contains(@class,'MuiSwitch-root')]");
  const [whole, knob] = [(await track.boundingBox())!, (await track.locator(".MuiSwitch-thumb").boundingBox())!];
  expect(knob.x + knob.width / 2).toBeLessThan(whole.x + whole.width / 2);
  const tabs = (await dialog.getByRole("tablist").boundingBox())!;
  const panel = (await dialog.getByRole("tabpanel").boundingBox())!;
  expect(tabs.x).toBeGreaterThan(panel.x);
  await page.screenshot({ path: join(artifacts, "mirrored-settings.png") });
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(artifacts, "mirrored-settings-phone.png") });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
});

test("A11-14: the gallery in both directions", async ({ page }) => {
  await page.goto("/dev/gallery?rtl");
  await expect(page.locator("html")).toHaveAttribute("dir", "rtl");
  await page.screenshot({ path: join(artifacts, "mirrored-gallery.png") });
  expect(await violations(page)).toEqual([]);
  await page.getByRole("switch", { name: "Right to left" }).click();
  await expect(page.locator("html")).toHaveAttribute("dir", "ltr");
});
