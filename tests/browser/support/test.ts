import { test as base, expect, type Page } from "@playwright/test";
import axe from "axe-core";

import { handover, Orvale } from "./orvale.ts";

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
      const foreign = watched.requests.filter(
        (url) => !url.startsWith(orvale.address) && !/^(blob|data):/.test(url),
      );
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

/**
 * Logs in and waits until the rooms are there. The management system hands the person over: the pages of logging in, which have stories
 * of their own, are not drawn each time.
 */
export async function logIn(page: Page, user: string): Promise<void> {
  await page.goto(`/#token=${handover({ sub: user })}`);
  await expect(page.getByRole("banner")).toBeVisible();
}

/** Leads to another address of the program as a link on the page would, without loading it all again. */
export async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    const { idx = 0 } = (history.state ?? {}) as { idx?: number };
    history.pushState({ idx: idx + 1, key: String(idx + 1) }, "", to);
    dispatchEvent(new PopStateEvent("popstate", { state: history.state as unknown }));
  }, path);
}

/** Opens the dialog that an address names, when the one before is gone. */
export async function goToDialog(page: Page, path: string, query: string): Promise<void> {
  await go(page, path);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await go(page, `${path}?${query}`);
  await expect(page.getByRole("dialog")).toBeVisible();
}

/** What hangs on the colours of a theme; all other rules say the same in every theme. */
export const THEMED: readonly string[] = ["color-contrast", "link-in-text-block"];

/** What stands above everything else, or beside it for a while. */
export const ABOVE = "[role=dialog], [role=menu], [role=complementary], aside";

/** What axe finds of A and AA on the page as it is; or by some rules alone, in the last thing that a selector names. */
export async function violations(page: Page, rules?: readonly string[], within?: string): Promise<string[]> {
  // Once for a page: it is half a megabyte.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  return page.evaluate(
    async ({ runOnly, within }) => {
      // Colours are measured when they rest: a theme that has just been put on is there in the frame after next.
      for (let frame = 0; frame < 2; frame += 1) await new Promise((next) => requestAnimationFrame(next));
      await Promise.allSettled(
        document
          .getAnimations()
          .filter((one) => one.effect?.getComputedTiming().iterations !== Infinity)
          .map((one) => one.finished),
      );
      const { run } = (window as unknown as { axe: typeof axe }).axe;
      const place = within ? ([...document.querySelectorAll<HTMLElement>(within)].at(-1) ?? document) : document;
      const found = await run(place, { runOnly, resultTypes: ["violations"] });
      return found.violations.flatMap(({ id, nodes }) =>
        nodes.map(
          (node) => `${id}: ${node.target.join(" ")}: ${node.any[0]?.message ?? node.failureSummary ?? ""}`,
        ),
      );
    },
    {
      runOnly: rules
        ? { type: "rule" as const, values: [...rules] }
        : { type: "tag" as const, values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
      within,
    },
  );
}
