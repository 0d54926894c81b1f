import { expect, logIn, test, violations } from "../support/test.ts";

test("the address leads to the chat, which asks who one is", async ({ page }) => {
  await page.goto("/");
  await expect(page).toHaveURL(/\/chat$/);
  await expect(page.getByRole("heading", { name: /Log in to/ })).toBeVisible();
  await expect(page.getByLabel("User name")).toBeFocused();
  expect(await violations(page)).toEqual([]);
});

test("a wrong password is told as what to do", async ({ page }) => {
  await page.goto("/chat");
  await page.getByLabel("User name").fill("ada");
  await page.getByLabel("Password", { exact: true }).fill("wrong");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert").filter({ hasText: "Wrong user name or password" })).toBeFocused();
});

test("an account is made where the server lets one, and is welcomed", async ({ page }) => {
  await page.goto("/chat");
  await page.getByRole("button", { name: /Create one/ }).click();
  await page.getByLabel("User name").fill("fatima");
  await page.getByLabel("Choose a password").fill("correct horse battery");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { name: "Welcome, fatima" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test("who is new is told how to begin, on a phone too", async ({ page, orvale }) => {
  const user = `newcomer-${Date.now()}`;
  await orvale.register(user);
  await page.setViewportSize({ width: 390, height: 844 });
  await logIn(page, user);
  await expect(page.getByRole("heading", { name: `Welcome, ${user}` })).toBeVisible();
  await page.getByRole("listitem", { name: "Welcome" }).getByRole("button", { name: "Join" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Welcome" })).toBeVisible();
  await page.getByRole("button", { name: "Back to the conversations" }).click();
  await expect(page.getByRole("navigation", { name: "Conversations" }).getByRole("button", { name: /Welcome/ })).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test.describe("in a browser that wishes for German", () => {
  test.use({ locale: "de-AT" });

  test("the first words are German already", async ({ page }) => {
    await page.addInitScript(() => {
      const words: string[] = [];
      Object.assign(window, { words });
      const look = () => {
        const now = document.querySelector("#root h1, #root h2")?.textContent;
        if (now && words.at(-1) !== now) words.push(now);
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await page.goto("/chat");
    await expect(page.getByRole("heading", { name: /^Anmelden bei/ })).toBeVisible();
    const words = await page.evaluate(() => (window as unknown as { words: string[] }).words);
    expect(words.length).toBe(1);
    expect(words[0]).toMatch(/^Anmelden bei/);
  });
});

test("a token that is no longer good is told, and leaves the address", async ({ page }) => {
  await page.goto("/chat#token=a.b.c");
  await expect(page.getByText(/login link is no longer valid/)).toBeVisible();
  expect(page.url()).not.toContain("token");
});

test("LOAD-04, LOAD-13: nothing of encryption is loaded, and nothing moves while the chat appears", async ({ page, watched }) => {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
        if (!entry.hadRecentInput) shifts.push(entry.value);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await logIn(page, "ada");
  // A visit of who is logged in already: the frame, then the rooms.
  await page.reload();
  await expect(page.getByRole("navigation", { name: "Conversations" })).toBeVisible();
  await page.waitForFunction(() => performance.now() > 5000);
  const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
  expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThanOrEqual(0.02);
  expect(watched.requests.filter((url) => /wasm/.test(url))).toEqual([]);
});

test("hashed files are kept for a year, the page is not kept", async ({ request, page }) => {
  const answer = await request.get("/chat");
  expect(answer.headers()["cache-control"]).toBe("no-store");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await answer.text())?.[1];
  const file = await request.get(script ?? "");
  expect(file.headers()["cache-control"]).toContain("immutable");
  expect(file.headers()["content-encoding"]).toBe("br");
  await page.goto("/connect");
  await expect(page.getByText("Connect a client")).toBeVisible();
});
