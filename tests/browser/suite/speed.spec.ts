import type { BrowserContext, Page } from "@playwright/test";

import { Gate } from "../support/gate.ts";
import { calibrated, slowness } from "../support/measure.ts";
import { fortyRooms } from "../support/seed.ts";
import { expect, logIn, test as base } from "../support/test.ts";

// How soon something is on the screen, data set S. Nine visits each; the first two do not count, the median of the others does, each
// divided by how slow the machine was around it.

interface Home {
  gate: Gate;
  user: string;
  /** The address of the room that is opened. */
  place: string;
}

const test = base.extend<object, { home: Home }>({
  home: [
    async ({ orvale }, use) => {
      const user = `speedy-${Date.now()}`;
      await orvale.register(user);
      const { rooms } = await fortyRooms(orvale.address, user);
      const gate = await Gate.before(orvale.address);
      await use({ gate, user, place: `/chat/room/${encodeURIComponent(rooms.at(-1)!)}` });
      await gate.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  baseURL: async ({ home }, use) => {
    await use(home.gate.address);
  },
  // The page comes through the gate, which is another address.
  watched: async ({}, use) => {
    await use({ requests: [], refused: [] });
  },
});

// A record of what happens costs time of its own.
test.use({ trace: "off" });

const MESSAGE = "[role=log] [role=article]";
const LOGIN = "input[name=username]";

/** Notes when something was first on the screen: after the frame that drew it. */
async function noteFirst(context: BrowserContext, what: string): Promise<void> {
  await context.addInitScript((what) => {
    const look = () => {
      if (document.querySelector(what)) setTimeout(() => Object.assign(window, { firstSeen: performance.now() }), 0);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, what);
}

const firstSeen = async (page: Page): Promise<number> => {
  const found = await page.waitForFunction(() => (window as { firstSeen?: number }).firstSeen, null, { polling: 200, timeout: 60_000 });
  return (await found.jsonValue())!;
};

const firstPaint = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") resolve(entry.startTime);
        }).observe({ type: "paint", buffered: true });
      }),
  );

/** The phone of the criteria, and its connection. */
async function asPhone(page: Page): Promise<void> {
  await page.setViewportSize({ width: 390, height: 844 });
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 150,
    downloadThroughput: 200_000,
    uploadThroughput: 200_000,
  });
}

/** Forgets the files of the program. */
async function forgetFiles(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.clearBrowserCache");
  await session.detach();
}

/** Forgets the rooms of the last visit; the session stays. */
async function forgetRooms(page: Page): Promise<void> {
  await page.goto("/favicon.svg");
  await page.evaluate(async () => {
    for (const { name } of await indexedDB.databases())
      if (name?.startsWith("matrix-js-sdk:"))
        await new Promise((done) => {
          indexedDB.deleteDatabase(name).onsuccess = done;
        });
  });
}

async function enter(page: Page, { user, place }: Home): Promise<void> {
  await logIn(page, user);
  await page.goto(place);
  await expect(page.getByRole("article").last()).toBeVisible();
}

// The first sight is the mark that the page brings with it; who logs in waits no longer than for a first message.
for (const [profile, limit, login] of [
  ["desktop", 600, 1_500],
  ["phone", 2_000, 4_000],
] as const) {
  test(`LOAD-05: the first sight on a ${profile}`, { tag: "@measured" }, async ({ page, context }) => {
    test.setTimeout(300_000);
    await noteFirst(context, LOGIN);
    if (profile === "phone") await asPhone(page);
    const fields: number[] = [];
    const { ms, told } = await calibrated(page, async () => {
      await forgetFiles(page);
      await page.goto("/chat");
      fields.push(await firstSeen(page));
      return firstPaint(page);
    });
    const field = fields.slice(2).sort((a, b) => a - b)[3]! / (await slowness(page));
    const figures = `${ms.toFixed(0)} ms (${told}), the login page after ${field.toFixed(0)}`;
    test.info().annotations.push({ type: "ms", description: figures });
    console.log(`LOAD-05 ${profile}: ${figures}`);
    expect(ms, told).toBeLessThanOrEqual(limit);
    expect(field).toBeLessThanOrEqual(login);
  });
}

for (const [profile, limit] of [
  ["desktop", 1_500],
  ["phone", 4_000],
] as const) {
  test(`LOAD-07: the first message of a first visit on a ${profile}`, { tag: "@measured" }, async ({ page, context, home }) => {
    test.setTimeout(300_000);
    await noteFirst(context, MESSAGE);
    await enter(page, home);
    if (profile === "phone") await asPhone(page);
    const { ms, told } = await calibrated(page, async () => {
      await forgetRooms(page);
      await forgetFiles(page);
      await page.goto(home.place);
      return firstSeen(page);
    });
    test.info().annotations.push({ type: "ms", description: `${ms.toFixed(0)} (${told})` });
    console.log(`LOAD-07 ${profile}: ${ms.toFixed(0)} ms (${told})`);
    expect(ms, told).toBeLessThanOrEqual(limit);
  });
}

test.describe("with what the last visit left", () => {
  test.use({ serviceWorkers: "allow" });

  test("LOAD-06: the last room's messages are painted at once, before the server has said anything", { tag: "@measured" }, async ({ page, context, home }) => {
    test.setTimeout(300_000);
    await noteFirst(context, MESSAGE);
    await enter(page, home);
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      while (!(await caches.match("/chat"))) await new Promise((resolve) => setTimeout(resolve, 100));
    });
    // What is known is written to the browser when the page is left.
    await page.reload();
    await expect(page.getByRole("article").last()).toBeVisible();
    home.gate.shut();
    const { ms, told } = await calibrated(page, async () => {
      await page.reload({ waitUntil: "commit" });
      const painted = await firstSeen(page);
      expect(home.gate.answered, "the API said nothing").toBe(0);
      return painted;
    }, 1);
    home.gate.open();
    test.info().annotations.push({ type: "ms", description: `${ms.toFixed(0)} (${told})` });
    console.log(`LOAD-06: ${ms.toFixed(0)} ms (${told})`);
    expect(ms, told).toBeLessThanOrEqual(400);
  });
});
