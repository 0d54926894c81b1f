import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";

import { Orvale, PASSWORD } from "./orvale.ts";

/** The nine themes, as the preferences name them. */
export const themes = [
  "auto",
  "light",
  "dark",
  "darcula",
  "midnight",
  "ocean",
  "forest",
  "sunset",
  "high_contrast",
] as const;

/** Tests with a server of their own file, and a page whose requests and complaints are watched. */
export const test = base.extend<{ watched: Watched }, { orvale: Orvale }>({
  orvale: [
    async ({}, use) => {
      const orvale = await Orvale.start();
      await use(orvale);
      await orvale.remove();
    },
    { scope: "worker" },
  ],
  baseURL: async ({ orvale }, use) => {
    await use(orvale.address);
  },
  watched: [
    async ({ page, orvale }, use) => {
      const watched = watch(page);
      await use(watched);
      const foreign = watched.requests.filter((url) => !url.startsWith(orvale.address) && !/^(blob|data):/.test(url));
      expect(foreign, "LOAD-12: everything comes from our server").toEqual([]);
      expect(watched.refused, "the content security policy refuses nothing of ours").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

interface Watched {
  requests: string[];
  refused: string[];
}

function watch(page: Page): Watched {
  const watched: Watched = { requests: [], refused: [] };
  page.on("request", (request) => watched.requests.push(request.url()));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) watched.refused.push(message.text());
  });
  return watched;
}

/** Logs in as one would, and waits until the rooms are there. */
export async function logIn(page: Page, user: string): Promise<void> {
  await page.goto("/chat");
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await expect(page.getByRole("banner")).toBeVisible();
}

/** What axe finds of A and AA on the page as it is. */
export async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.any[0]?.message ?? node.failureSummary ?? ""}`),
  );
}
