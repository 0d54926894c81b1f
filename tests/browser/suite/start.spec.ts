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
