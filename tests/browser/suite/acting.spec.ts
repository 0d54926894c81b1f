import type { Page } from "@playwright/test";

import { calibrated, percentile, slowness } from "../support/measure.ts";
import { Person } from "../support/person.ts";
import { expect, goToDialog, logIn, test } from "../support/test.ts";

// What one does and how soon it shows. Times are divided by how slow the machine is, counts are limits as they stand.

test.use({ trace: "off" });

const rooms = (page: Page) => page.getByRole("navigation", { name: "Conversations" });
const field = (page: Page) => page.getByRole("textbox", { name: /^Message to/ });

async function open(page: Page, name: RegExp): Promise<void> {
  await rooms(page).getByRole("button", { name }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page.getByRole("article").first()).toBeVisible();
}

const note = (type: string, description: string) => {
  test.info().annotations.push({ type, description });
  console.log(`${type}: ${description}`);
};

test("ACT-02, ACT-03, ACT-04: a message stands there in the next frame, and keeps its place when it is confirmed", { tag: "@measured" }, async ({ page }) => {
  test.setTimeout(180_000);
  await logIn(page, "ada");
  await open(page, /Ben Lindqvist/);
  interface Sent {
    script: number;
    painted: number;
    confirmed: number;
    moved: number;
    remounted: boolean;
  }
  // Enter as the page gets it: how long its script runs, when the frame with the message is painted, when the server's id is there.
  const send = (text: string) =>
    page.evaluate(async (body): Promise<Sent> => {
      const element = document.querySelector<HTMLTextAreaElement>("[data-region='composer'] textarea")!;
      element.focus();
      Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")!.set!.call(element, body);
      element.dispatchEvent(new Event("input", { bubbles: true }));
      const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
      await frame();
      const find = () =>
        [...document.querySelectorAll<HTMLElement>("[role=log] [role=article]")].findLast((row) => row.textContent?.includes(body));
      const begun = performance.now();
      element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      await Promise.resolve();
      const script = performance.now() - begun;
      let row = find();
      while (!row) {
        await frame();
        row = find();
      }
      await frame();
      const painted = performance.now() - begun;
      let moved = 0;
      let place = row.getBoundingClientRect().top;
      // What is above may still come to rest in the first frame; from then on nothing moves.
      await frame();
      place = row.getBoundingClientRect().top;
      while (!row.dataset["eventId"]?.startsWith("$")) {
        await frame();
        moved = Math.max(moved, Math.abs(row.getBoundingClientRect().top - place));
      }
      const confirmed = performance.now() - begun;
      await frame();
      moved = Math.max(moved, Math.abs(row.getBoundingClientRect().top - place));
      return { script, painted, confirmed, moved, remounted: !row.isConnected || find() !== row };
    }, text);
  const factor = await slowness(page);
  const sent: Sent[] = [];
  for (let nth = 0; nth < 11; nth += 1) sent.push(await send(`one of several ${Date.now()} ${nth}`));
  const slow = (factor + (await slowness(page))) / 2;
  const counted = sent.slice(2);
  const median = (values: number[]) => percentile(values, 50) / slow;
  const told = `x${slow.toFixed(2)}; script ${median(counted.map((one) => one.script)).toFixed(1)}, painted ${median(counted.map((one) => one.painted)).toFixed(0)}, confirmed ${median(counted.map((one) => one.confirmed)).toFixed(0)}`;
  note("ACT-02, ACT-04 ms", told);
  expect(Math.max(...counted.map((one) => one.moved)), "ACT-03: pixels").toBe(0);
  expect(counted.filter((one) => one.remounted), "ACT-03: remounts").toEqual([]);
  expect(median(counted.map((one) => one.script)), told).toBeLessThanOrEqual(16);
  expect(median(counted.map((one) => one.painted)), told).toBeLessThanOrEqual(50);
  expect(median(counted.map((one) => one.confirmed)), told).toBeLessThanOrEqual(150);
});

test("CALM-04: typing shows within half a second, and is gone five seconds after the last key", { tag: "@measured" }, async ({ page, browser, orvale }) => {
  await logIn(page, "ada");
  await open(page, /Ben Lindqvist/);
  const context = await browser.newContext({ baseURL: orvale.address, locale: "en-GB" });
  const ben = await context.newPage();
  await logIn(ben, "ben");
  await open(ben, /Ada Okafor/);
  // Both clocks are this machine's.
  await page.evaluate(() => {
    const seen = { shown: 0, gone: 0 };
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const text = document.querySelector("[data-testid=typing]")?.textContent ?? "";
      if (text && !seen.shown) seen.shown = Date.now();
      if (!text && seen.shown && !seen.gone) seen.gone = Date.now();
    }).observe(document.querySelector("[data-testid=typing]")!, { childList: true, characterData: true, subtree: true });
  });
  const factor = await slowness(page);
  await ben.evaluate(() => {
    const keys: number[] = [];
    Object.assign(window, { keys });
    document.addEventListener("keydown", () => keys.push(Date.now()));
  });
  await field(ben).pressSequentially("Hello", { delay: 60 });
  await expect(page.getByTestId("typing")).toHaveText("Ben Lindqvist is typing…");
  await expect(page.getByTestId("typing")).toHaveText("", { timeout: 10_000 });
  const seen = await page.evaluate(() => (window as unknown as { seen: { shown: number; gone: number } }).seen);
  const keys = await ben.evaluate(() => (window as unknown as { keys: number[] }).keys);
  const [appeared, left] = [seen.shown - keys[0]!, seen.gone - keys.at(-1)!];
  note("CALM-04 ms", `x${factor.toFixed(2)}; shown after ${appeared}, gone after ${left}`);
  expect(appeared).toBeLessThanOrEqual(500 * factor);
  expect(left).toBeLessThanOrEqual(5_000 + 500 * factor);
  await field(ben).fill("");
  await context.close();
});

test("A11-07: one polite region says at most one sentence a second, and a burst is summed up", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const chiara = await Person.logIn(orvale.address, "chiara");
  const room = await ben.create({ name: "Loud place", preset: "public_chat" });
  const ada = await Person.logIn(orvale.address, "ada");
  await ada.join(room);
  await chiara.join(room);
  await ben.say(room, "before");
  await logIn(page, "ada");
  await open(page, /Loud place/);
  await page.evaluate(() => {
    const said: { at: number; text: string }[] = [];
    Object.assign(window, { said });
    const region = document.querySelector("[role=status][aria-live=polite]")!;
    new MutationObserver(() => {
      if (region.textContent) said.push({ at: performance.now(), text: region.textContent });
    }).observe(region, { childList: true, characterData: true, subtree: true });
  });
  const polite = () =>
    page.evaluate(
      () =>
        [...document.querySelectorAll("[aria-live=polite], [role=status], [role=log]")].filter(
          (element) => element.getAttribute("aria-live") !== "off",
        ).length,
    );
  const heard = () => page.evaluate(() => (window as unknown as { said: { at: number; text: string }[] }).said);
  expect(await polite()).toBe(1);
  // One message is read out, many are counted: all of them, each once.
  await ben.say(room, "a single one");
  await expect.poll(async () => (await heard()).map(({ text }) => text)).toEqual(["Ben Lindqvist: a single one"]);
  for (let burst = 0; burst < 3; burst += 1)
    await Promise.all([0, 1, 2, 3].map((nth) => (nth % 2 ? ben : chiara).say(room, `burst ${burst}, ${nth}`)));
  const counted = async () =>
    (await heard())
      .slice(1)
      .flatMap(({ text }) => text.split(". "))
      .reduce((sum, text) => sum + Number(/^(\d+) new message/.exec(text)?.[1] ?? 1), 0);
  await expect
    .poll(counted)
    .toBe(12)
    .finally(async () => note("A11-07 heard", (await heard()).map(({ at, text }) => `${Math.round(at)} ${text}`).join(" | ")));
  const said = await heard();
  expect(said.length).toBeLessThanOrEqual(6);
  expect(said.some(({ text }) => /\d+ new messages from 2 people/.test(text))).toBe(true);
  for (const [index, { at }] of said.slice(1).entries()) expect(at - said[index]!.at).toBeGreaterThanOrEqual(950);
  // A dialog hides the page behind it, and not the voice.
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await expect(page.locator("[role=status][aria-live=polite]")).toHaveText(/results?/);
  expect(await page.locator("[role=status][aria-live=polite]").evaluate((region) => region.closest("[aria-hidden]"))).toBeNull();
  expect(await polite()).toBe(1);
});

test("A11-07: a burst that one answer of the server brings is counted whole", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Burst place", preset: "public_chat" });
  await (await Person.logIn(orvale.address, "ada")).join(room);
  await ben.say(room, "in the beginning");
  await logIn(page, "ada");
  await open(page, /Burst place/);
  let release = () => {};
  const sent = new Promise<void>((resolve) => (release = resolve));
  let held = false;
  const voice = page.locator("[role=status][aria-live=polite]");
  await page.route("**/_matrix/client/v3/sync?*", async (route) => {
    held = true;
    await sent;
    await route.continue();
  });
  // Answers the sync that is under way already.
  await ben.say(room, "before");
  await expect(voice).toHaveText(/before/);
  await expect.poll(() => held).toBe(true);
  for (let nth = 0; nth < 15; nth += 1) await ben.say(room, `burst ${nth}`);
  release();
  await expect(voice).toHaveText(/^15 new messages from Ben/);
});

test("CALM-11: who wants no motion gets none", async ({ browser, orvale }) => {
  const context = await browser.newContext({ baseURL: orvale.address, reducedMotion: "reduce", locale: "en-GB" });
  const page = await context.newPage();
  await logIn(page, "ada");
  const running = () =>
    page.evaluate(() =>
      document
        .getAnimations()
        .filter((animation) => animation.playState === "running" && Number(animation.effect?.getComputedTiming().duration ?? 0) > 1)
        .map((animation) => (animation.effect as KeyframeEffect | null)?.target?.outerHTML.slice(0, 80) ?? ""),
    );
  const seen: string[] = [];
  const look = async () => seen.push(...(await running()));
  await look();
  await open(page, /Ben Lindqvist/);
  await look();
  for (const keys of ["Control+k", "Control+,", "Control+/", "Control+Shift+F"]) {
    await page.keyboard.press(keys);
    await expect(page.getByRole("dialog")).toBeVisible();
    await look();
    await page.keyboard.press("Escape");
    await look();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  await page.getByRole("button", { name: "Options", exact: true }).click();
  await look();
  await page.keyboard.press("Escape");
  expect(seen).toEqual([]);
  await context.close();
});

test("A11-10: what is touched is large enough for a finger", async ({ browser, orvale }) => {
  const context = await browser.newContext({
    baseURL: orvale.address,
    locale: "en-GB",
    hasTouch: true,
    reducedMotion: "reduce",
    isMobile: true,
    viewport: { width: 390, height: 844 },
  });
  const page = await context.newPage();
  const small: Record<string, string[]> = {};
  const look = async (name: string) => {
    const found = await page.evaluate(() => {
      const wanted =
        "button, summary, a[href], input:not([type=hidden]), [role=button], [role=menuitem], [role=menuitemradio], [role=tab], [role=option], textarea";
      const top = document.querySelector(".MuiModal-root:not([aria-hidden])") ?? document;
      // From the middle outwards: what a finger meets there is this, or belongs to it.
      const reach = (element: Element, x: number, y: number, across: number, down: number) => {
        let steps = 0;
        for (let step = 1; step <= 22; step += 1) {
          const [at, below] = [x + across * step, y + down * step];
          const met = document.elementFromPoint(at, below);
          // Beyond the edge of the screen nothing else is met by mistake.
          const outside = at < 0 || below < 0 || at >= innerWidth || below >= innerHeight;
          if (!outside && !(met && element.contains(met))) break;
          steps = step;
        }
        return steps;
      };
      return [...top.querySelectorAll<HTMLElement>(wanted)].flatMap((element) => {
        const style = getComputedStyle(element);
        if (style.visibility === "hidden" || style.display === "none" || element.closest("[aria-hidden=true]")) return [];
        // A field belongs to its frame, a choice to its label.
        const whole = element.closest("label, .MuiInputBase-root, .MuiSwitch-root, .MuiFormControlLabel-root") ?? element;
        if (style.clipPath !== "none" && whole === element) return [];
        // Links in a sentence are excepted (WCAG 2.5.8).
        if (element.matches("a") && style.display === "inline") return [];
        const box = (whole.matches(".MuiSwitch-root") ? element : whole).getBoundingClientRect();
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        if (box.width === 0 || y < 0 || y > innerHeight || x < 0 || x > innerWidth) return [];
        const met = document.elementFromPoint(x, y);
        if (!met || !whole.contains(met)) return [];
        const width = Math.max(box.width, reach(whole, x, y, -1, 0) + reach(whole, x, y, 1, 0));
        const height = Math.max(box.height, reach(whole, x, y, 0, -1) + reach(whole, x, y, 0, 1));
        if (width >= 43 && height >= 43) return [];
        return [`${Math.round(width)}x${Math.round(height)} ${element.getAttribute("aria-label") ?? element.textContent?.slice(0, 30) ?? ""} <${element.tagName}>`];
      });
    });
    if (found.length > 0) small[name] = found;
  };
  await page.goto("/chat");
  await expect(page.getByLabel("User name")).toBeVisible();
  await look("login");
  await logIn(page, "ada");
  await expect(rooms(page).getByText("Ben Lindqvist")).toBeVisible();
  await look("rooms");
  await rooms(page).getByText("Ben Lindqvist").click();
  await expect(page.getByRole("article").first()).toBeVisible();
  await look("conversation");
  await page.getByRole("article").last().tap();
  await expect(page.getByRole("toolbar")).toBeVisible();
  await look("message");
  await page.getByRole("button", { name: "Options", exact: true }).tap();
  await expect(page.getByRole("menu")).toBeVisible();
  // It grows into its place.
  await expect(page.locator(".MuiMenu-paper")).toHaveCSS("transform", "none");
  await look("room menu");
  await page.keyboard.press("Escape");
  for (const place of ["new=", "channels=", "channels=new", "search=", "settings=appearance", "settings=notifications", "settings=messages", "settings=profile", "settings=devices", "saved=", "switch="]) {
    await goToDialog(page, "/chat", place);
    // It comes to rest, and so does what it loads.
    await expect(page.getByRole("dialog").getByRole("button").or(page.getByRole("dialog").getByRole("combobox")).first()).toBeVisible();
    await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)));
    await look(place);
  }
  expect(small).toEqual({});
  await context.close();
});

test("A11-09: the focus is seen wherever it goes", async ({ page }) => {
  test.setTimeout(180_000);
  await logIn(page, "ada");
  await open(page, /Ben Lindqvist/);
  for (const [theme, width] of [
    ["light", 2],
    ["high_contrast", 3],
  ] as const) {
    await page.evaluate((name) => localStorage.setItem("orvale.preferences", JSON.stringify({ theme: name })), theme);
    await page.reload();
    await expect(page.locator(`html[data-theme="${theme}"]`)).toBeAttached();
    await expect(page.getByRole("article").first()).toBeVisible();
    await page.locator("body").click({ position: { x: 5, y: 5 } });
    const missing: string[] = [];
    for (let press = 0; press < 60; press += 1) {
      await page.keyboard.press("Tab");
      const told = await page.evaluate((least) => {
        const element = document.activeElement as HTMLElement | null;
        if (!element || element === document.body) return null;
        // The ring may be drawn by what is around a field.
        const rings = [element, element.parentElement, element.parentElement?.parentElement, element.parentElement?.parentElement?.parentElement].filter(Boolean).map((one) => {
          const style = getComputedStyle(one!);
          const outline = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
          const shadow = /0px 0px 0px ([\d.]+)px/.exec(style.boxShadow)?.[1];
          return { width: Math.max(outline, shadow ? parseFloat(shadow) + parseFloat(style.borderTopWidth) : 0), colour: outline ? style.outlineColor : style.borderTopColor };
        });
        const ring = rings.find((one) => one.width >= least);
        return ring ? { colour: ring.colour } : { name: element.getAttribute("aria-label") ?? element.textContent?.slice(0, 30) ?? element.tagName };
      }, width);
      if (told && "name" in told) missing.push(told.name ?? "");
      if (told && "colour" in told && theme === "high_contrast" && told.colour !== "rgb(255, 255, 0)") missing.push(`${told.colour}`);
    }
    expect(missing, theme).toEqual([]);
  }
});

test("ACT-13, ACT-15: what opens a second time opens at once, and a theme is there at once", { tag: "@measured" }, async ({ page }) => {
  test.setTimeout(240_000);
  await logIn(page, "ada");
  await open(page, /Ben Lindqvist/);
  const timed = (keys: string, shown: string) =>
    page.evaluate(
      async ([key, wanted]) => {
        const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
        const begun = performance.now();
        const parts = key!.split("+");
        document.activeElement!.dispatchEvent(
          new KeyboardEvent("keydown", {
            key: parts.at(-1)!,
            ctrlKey: parts.includes("Control"),
            shiftKey: parts.includes("Shift"),
            bubbles: true,
            cancelable: true,
          }),
        );
        while (!document.querySelector(wanted!)) await frame();
        await frame();
        return performance.now() - begun;
      },
      [keys, shown] as const,
    );
  for (const [name, keys] of [
    ["switcher", "Control+k"],
    ["settings", "Control+,"],
    ["keys", "Control+/"],
  ] as const) {
    const { ms, told } = await calibrated(page, async () => {
      const taken = await timed(keys, "[role=dialog] [role=combobox], [role=dialog] h2");
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      return taken;
    });
    note(`ACT-13 ${name}`, `${ms.toFixed(0)} ms (${told})`);
    expect(ms, told).toBeLessThanOrEqual(100);
  }
  await page.keyboard.press("Control+,");
  await expect(page.getByRole("dialog")).toBeVisible();
  const names = ["Light", "Dark"];
  const { ms, told } = await calibrated(page, async (run) =>
    page.evaluate(
      async ([label, theme]) => {
        const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
        const radio = [...document.querySelectorAll<HTMLInputElement>("[role=dialog] input[type=radio][name=theme]")].find(
          (one) => one.value === theme,
        );
        if (!radio) throw new Error(`no theme ${label}`);
        const begun = performance.now();
        radio.click();
        while (document.documentElement.dataset["theme"] !== theme) await frame();
        await frame();
        return performance.now() - begun;
      },
      [names[run % 2]!, names[run % 2]!.toLowerCase()] as const,
    ),
  );
  note("ACT-15", `${ms.toFixed(0)} ms (${told})`);
  expect(ms, told).toBeLessThanOrEqual(100);
});

test("ACT-14: results are there soon after the last key", { tag: "@measured" }, async ({ page }) => {
  test.setTimeout(240_000);
  await logIn(page, "ada");
  await open(page, /Ben Lindqvist/);
  const type = (selector: string, words: string, shown: string) =>
    page.evaluate(
      async ([field, text, wanted]) => {
        const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
        const element = document.querySelector<HTMLInputElement>(field!)!;
        const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!.set!;
        set.call(element, "");
        element.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((resolve) => setTimeout(resolve, 500));
        const begun = performance.now();
        set.call(element, text);
        element.dispatchEvent(new Event("input", { bubbles: true }));
        const there = () => [...document.querySelectorAll(wanted!)].some((one) => one.textContent?.toLowerCase().includes(text!.toLowerCase()));
        while (!there()) {
          await frame();
          if (performance.now() - begun > 10_000) throw new Error("nothing was found");
        }
        return performance.now() - begun;
      },
      [selector, words, shown] as const,
    );
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  const words = ["Welcome", "Help desk"];
  const local = await calibrated(page, (run) => type("[role=dialog] [role=combobox]", words[run % 2]!, "[role=dialog] [role=option]"));
  note("ACT-14 local", `${local.ms.toFixed(0)} ms (${local.told})`);
  expect(local.ms, local.told).toBeLessThanOrEqual(50);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Shift+F");
  await expect(page.getByRole("dialog", { name: "Search" })).toBeVisible();
  const server = await calibrated(page, (run) =>
    type("[role=dialog] input", ["Lunch", "van"][run % 2]!, "[role=dialog] [data-hit]"),
  );
  note("ACT-14 server", `${server.ms.toFixed(0)} ms (${server.told})`);
  expect(server.ms, server.told).toBeLessThanOrEqual(300);
});
