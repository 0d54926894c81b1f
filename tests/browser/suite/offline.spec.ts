import type { Page } from "@playwright/test";

import { Orvale } from "../support/orvale.ts";
import { expect, logIn, test, violations } from "../support/test.ts";

test.use({ serviceWorkers: "allow" });

const rooms = (page: Page) => page.getByRole("navigation", { name: "Conversations" });
const field = (page: Page) => page.getByRole("textbox", { name: /^Message to/ });
/** What one sees of it; what is announced stands elsewhere. */
const shown = (page: Page) => page.locator("#root");
const screen = (page: Page, name: string) => page.screenshot({ path: `../artifacts/screens/offline-${name}.png` });

async function open(page: Page, name: RegExp): Promise<void> {
  await rooms(page).getByRole("button", { name }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page.getByRole("article").first()).toBeVisible();
}

/** Waits until the program is kept in the browser. */
async function kept(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!(await caches.match("/chat"))) await new Promise((resolve) => setTimeout(resolve, 100));
  });
}

test("RES-01, ACT-16: without a connection the program opens, rooms are there, and messages wait through a reload", async ({
  page,
  context,
  browser,
  orvale,
}) => {
  await logIn(page, "ada");
  await open(page, /Ben Lindqvist/);
  await kept(page);
  const ben = await (await browser.newContext({ baseURL: orvale.address, serviceWorkers: "block" })).newPage();
  await logIn(ben, "ben");
  await open(ben, /Ada Okafor/);
  await context.setOffline(true);
  const stamp = String(Date.now());
  const mine = (nth: number) => `from the train ${stamp} ${nth}`;
  const theirs = (nth: number) => `from the office ${stamp} ${nth}`;
  for (const nth of [1, 2, 3]) {
    await field(page).fill(mine(nth));
    await field(page).press("Enter");
    await field(ben).fill(theirs(nth));
    await field(ben).press("Enter");
  }
  await expect(page.getByTestId("offline")).toBeVisible();
  await screen(page, "banner");
  expect(await violations(page)).toEqual([]);
  const banner = await page.getByTestId("offline").boundingBox();
  const composer = await field(page).boundingBox();
  expect(banner!.y + banner!.height).toBeLessThan(composer!.y);

  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/Ben Lindqvist/);
  for (const nth of [1, 2, 3]) await expect(page.getByRole("article").filter({ hasText: mine(nth) })).toBeVisible();
  await screen(page, "reloaded");
  await open(page, /Welcome/);
  await open(page, /Ben Lindqvist/);
  await field(page).fill(mine(4));
  await field(page).press("Enter");
  await context.setOffline(false);
  for (const person of [page, ben]) {
    for (const nth of [1, 2, 3, 4]) {
      await expect(person.getByRole("article").filter({ hasText: mine(nth) })).toHaveCount(1);
      await expect(person.getByRole("article").filter({ hasText: mine(nth) })).toHaveAttribute("data-event-id", /^\$/);
    }
    for (const nth of [1, 2, 3]) await expect(person.getByRole("article").filter({ hasText: theirs(nth) })).toHaveCount(1);
    const order = (await person.getByRole("article").allInnerTexts()).flatMap((text) => /from the train \d+ (\d)/.exec(text)?.[1] ?? []);
    expect(order).toEqual(["1", "2", "3", "4"]);
  }
  await ben.context().close();
});

test("RES-03: a computer that slept has what was said meanwhile within two seconds, though its connection died silently", async ({
  page,
  browser,
  orvale,
}) => {
  await page.clock.install();
  let dead = false;
  // Neither answered nor refused.
  await page.route(/\/v3\/sync\?/, (route) => (dead ? undefined : route.fallback()));
  await logIn(page, "ada");
  await open(page, /Ben Lindqvist/);
  const ben = await (await browser.newContext({ baseURL: orvale.address, serviceWorkers: "block" })).newPage();
  await logIn(ben, "ben");
  await open(ben, /Ada Okafor/);
  const say = async (text: string) => {
    await field(ben).fill(text);
    await field(ben).press("Enter");
    await expect(ben.getByRole("article").filter({ hasText: text })).toHaveAttribute("data-event-id", /^\$/);
  };
  const stamp = String(Date.now());
  const waits = page.waitForRequest((request) => dead && request.url().includes("/v3/sync?"));
  dead = true;
  await say(`before the nap ${stamp}`);
  await waits;
  await say(`during the nap ${stamp}`);
  dead = false;
  await page.clock.fastForward("10:00");
  const woke = performance.now();
  await expect(page.getByRole("article").filter({ hasText: `during the nap ${stamp}` })).toBeVisible();
  expect(performance.now() - woke).toBeLessThan(2_000);
  await ben.context().close();
});

test("RES-02: the server is killed and started again during 100 messages; each arrives once", async ({ browser }) => {
  test.setTimeout(300_000);
  // One of its own: whoever else talks to a server does not want it killed.
  const orvale = await Orvale.startOwn();
  const context = await browser.newContext({ baseURL: orvale.address, locale: "en-GB" });
  const page = await context.newPage();
  await logIn(page, "dmitri");
  await open(page, /Welcome/);
  const body = (nth: number) => `of a hundred, number ${String(nth).padStart(3, "0")}`;
  for (let nth = 1; nth <= 100; nth += 1) {
    await field(page).fill(body(nth));
    await field(page).press("Enter");
    if (nth === 30 || nth === 65) {
      await orvale.kill();
      setTimeout(() => void orvale.startAgain(), 1_500);
    }
  }
  const { access_token } = await (async () => {
    for (;;) {
      try {
        return await orvale.ask<{ access_token: string }>("/_matrix/client/v3/login", {
          body: { type: "m.login.password", identifier: { type: "m.id.user", user: "dmitri" }, password: "orvale-demo" },
        });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  })();
  const { rooms: found } = await orvale.ask<{ rooms: { join: Record<string, unknown> } }>("/_matrix/client/v3/sync", { token: access_token });
  const here = decodeURIComponent(/room\/([^/?]+)/.exec(page.url())![1]!);
  expect(Object.keys(found.join)).toContain(here);
  const arrived = async () => {
    const { chunk } = await orvale.ask<{ chunk: { content: { body?: string } }[] }>(
      `/_matrix/client/v3/rooms/${encodeURIComponent(here)}/messages?dir=b&limit=200`,
      { token: access_token },
    );
    return chunk
      .map(({ content }) => content.body ?? "")
      .filter((text) => text.startsWith("of a hundred"))
      .reverse();
  };
  await expect.poll(async () => (await arrived()).length, { timeout: 120_000 }).toBeGreaterThanOrEqual(100);
  expect(await arrived()).toEqual(Array.from({ length: 100 }, (_, index) => body(index + 1)));
  await expect(page.getByRole("article").filter({ hasText: body(100) })).toHaveCount(1);
  await context.close();
  await orvale.remove();
});

test("RES-08: a newer version is offered, and a part that is gone is told with a way out", async ({ page, context }) => {
  await logIn(page, "ada");
  await kept(page);
  // The worker of a newer version says which script it belongs to.
  await page.evaluate(() =>
    navigator.serviceWorker.dispatchEvent(new MessageEvent("message", { data: { entry: "/assets/index-of-tomorrow.js" } })),
  );
  await expect(shown(page).getByText("A new version of Orvale is available.")).toBeVisible();
  await screen(page, "newer");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Reload the page" }).click();
  await expect(rooms(page)).toBeVisible();
  await expect(shown(page).getByText("A new version of Orvale is available.")).toHaveCount(0);
  await context.clearCookies();
});

test("RES-07: in a browser that keeps nothing everything works, with one quiet line", async ({ browser, orvale }) => {
  const context = await browser.newContext({ baseURL: orvale.address, serviceWorkers: "block" });
  await context.addInitScript(() => {
    const refuse = () => {
      throw new DOMException("Private mode", "SecurityError");
    };
    Object.defineProperty(window, "indexedDB", { value: { open: refuse, deleteDatabase: refuse, databases: () => Promise.resolve([]) } });
    Object.defineProperty(window, "localStorage", { get: refuse });
  });
  const page = await context.newPage();
  await logIn(page, "elif");
  await open(page, /Welcome/);
  await field(page).fill("nothing is kept here");
  await field(page).press("Enter");
  await expect(page.getByRole("article").filter({ hasText: "nothing is kept here" })).toHaveAttribute("data-event-id", /^\$/);
  await expect(shown(page).getByText(/^This browser cannot store anything/)).toHaveCount(1);
  await page.setViewportSize({ width: 390, height: 844 });
  await screen(page, "private-phone");
  expect(await violations(page)).toEqual([]);
  await context.close();
});

test("a new login to the account is told, and forgotten when it was oneself", async ({ page, browser, orvale }) => {
  await orvale.register("uma");
  await logIn(page, "uma");
  await expect(rooms(page)).toBeVisible();
  await expect.poll(() => page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith("orvale.devices")))).toHaveLength(1);
  const other = await browser.newContext({ baseURL: orvale.address });
  const phone = await other.newPage();
  await logIn(phone, "uma");
  await page.reload();
  await expect(shown(page).getByText(/^New login to your account: /)).toBeVisible();
  await screen(page, "new-login");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "It was me" }).click();
  await expect(shown(page).getByText(/^New login to your account: /)).toHaveCount(0);
  await page.reload();
  await expect(rooms(page)).toBeVisible();
  await page.waitForTimeout(1_000);
  await expect(shown(page).getByText(/^New login to your account: /)).toHaveCount(0);
  await other.close();
});
