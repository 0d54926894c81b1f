import type { Page } from "@playwright/test";

import { Person } from "../support/person.ts";
import { expect, go, goToDialog, logIn, test } from "../support/test.ts";

// Small things one trips over: what is cut, what is too small for a finger, what one is not told.

test.use({ actionTimeout: 20_000, contextOptions: { reducedMotion: "reduce" } });

const place = (room: string) => `/chat/room/${encodeURIComponent(room)}`;
const message = (page: Page, text: string) => page.getByRole("article").filter({ hasText: text }).last();
const notice = (page: Page) => page.locator("[data-notice]");
const rooms = (page: Page) => page.getByRole("navigation", { name: "Conversations" });

test("a direct message begins with what was said; who accepts the invitation has it among the direct messages", async ({ page, orvale }) => {
  const user = `asked-${Date.now()}`;
  const { user_id: userId } = await orvale.register(user);
  const ben = await Person.logIn(orvale.address, "ben");
  await logIn(page, user);
  // As another client would begin it, which keeps a list for itself alone.
  const room = await ben.create({ is_direct: true, preset: "trusted_private_chat", invite: [userId] });
  await rooms(page).getByRole("button", { name: "Join" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Ben Lindqvist" })).toBeVisible();
  await expect(page.getByText("This is the beginning of your conversation with Ben Lindqvist.")).toBeVisible();
  await expect(page.getByText("No messages yet. Say hello.")).toBeVisible();
  const person = await Person.logIn(orvale.address, user);
  await expect
    .poll(() => person.ask(`/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/m.direct`).catch(() => null))
    .toEqual({ [ben.userId]: [room] });
  await ben.say(room, "hello from Ben");
  await expect(message(page, "hello from Ben")).toBeVisible();
  await expect(page.getByText(/created this conversation|was invited|joined/)).toHaveCount(0);
});

test("a long file name keeps its extension, and an edited list says so in its last line", async ({ page, orvale }) => {
  const user = `names-${Date.now()}`;
  await orvale.register(user);
  const person = await Person.logIn(orvale.address, user);
  const room = await person.create({ name: "Papers" });
  const name = "Minutes of the meeting of the building committee on the twelfth of November, corrected.pdf";
  const url = await person.upload(name, "application/pdf", "x".repeat(900));
  await person.send(room, { msgtype: "m.file", body: name, url, info: { size: 900, mimetype: "application/pdf" } });
  const list = { msgtype: "m.text", body: "- milk", format: "org.matrix.custom.html", formatted_body: "<ul><li>milk</li></ul>" };
  const first = await person.send(room, list);
  const more = { ...list, body: "- milk\n- bread", formatted_body: "<ul><li>milk</li><li>bread</li></ul>" };
  await person.send(room, { ...more, "m.new_content": more, "m.relates_to": { rel_type: "m.replace", event_id: first } });
  await logIn(page, user);
  await go(page, place(room));
  const card = message(page, "corrected.pdf");
  await expect(card).toContainText("900 bytes");
  const end = card.getByText("rected.pdf", { exact: true });
  const start = card.getByText(/^Minutes of the meeting/);
  await expect(end).toBeInViewport({ ratio: 1 });
  // Nothing of the end is cut, and something before it is.
  expect(await end.evaluate((element) => element.scrollWidth <= element.clientWidth || element.clientWidth === 0)).toBe(true);
  expect(await start.evaluate((element) => element.scrollWidth > element.clientWidth)).toBe(true);
  const last = message(page, "bread").getByRole("listitem").last();
  await expect(last).toHaveText("bread (edited)");
});

test("how an action went is shown and goes away; what failed says why", async ({ page, context, orvale }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const user = `told-${Date.now()}`;
  await orvale.register(user);
  const person = await Person.logIn(orvale.address, user);
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await person.create({ name: "Notes" });
  await person.say(room, "to be copied");
  await logIn(page, user);
  await go(page, place(room));
  await message(page, "to be copied").focus();
  await page.keyboard.press("m");
  await page.getByRole("menuitem", { name: "Copy text" }).click();
  await expect(notice(page)).toHaveText("Copied");
  await expect(notice(page)).toHaveCount(0);
  // An invitation that was taken back a moment ago.
  const gone = await ben.create({ name: "No longer", invite: [person.userId] });
  const join = rooms(page).getByRole("button", { name: "Join" });
  await expect(join).toBeVisible();
  await page.route("**/join/**", (route) =>
    route.fulfill({ status: 403, json: { errcode: "M_FORBIDDEN", error: "You are not invited to this room" } }),
  );
  await join.click();
  await expect(notice(page)).toHaveText(/^That did not work: .+/);
  await notice(page).click();
  await expect(notice(page)).toHaveCount(0);
  await ben.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(gone)}/leave`, "POST", {});
});

test("who is removed from a room that is open learns by whom and why; a link to a message that is not there says so", async ({ page, orvale }) => {
  const user = `loud-${Date.now()}`;
  const { user_id: userId } = await orvale.register(user);
  const ben = await Person.logIn(orvale.address, "ben");
  const person = await Person.logIn(orvale.address, user);
  const room = await ben.create({ name: "Quiet corner", preset: "public_chat" });
  await person.join(room);
  await ben.say(room, "psst");
  await logIn(page, user);
  await go(page, `${place(room)}/${encodeURIComponent("$there-is-no-such-message")}`);
  await expect(message(page, "psst")).toBeVisible();
  await expect(notice(page)).toHaveText("This message is not available");
  await ben.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(room)}/kick`, "POST", { user_id: userId, reason: "Too loud" });
  await expect(page.getByText("Ben Lindqvist removed you from this conversation.")).toBeVisible();
  await expect(page.getByText("Reason: Too loud")).toBeVisible();
  await page.getByRole("button", { name: "Join the channel" }).click();
  await expect(message(page, "psst")).toBeVisible();
  await ben.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(room)}/ban`, "POST", { user_id: userId });
  await expect(page.getByText(/^Ben Lindqvist banned you from this conversation/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Join the channel" })).toHaveCount(0);
});

test("RES-08: a part that is not here without a connection is told; the page stays", async ({ page, context }) => {
  await logIn(page, "ada");
  await rooms(page).getByRole("button", { name: /Welcome/ }).first().click();
  await expect(page.getByRole("article").first()).toBeVisible();
  await context.setOffline(true);
  await page.keyboard.press("Control+Shift+F");
  await expect(notice(page)).toHaveText(/^No connection/);
  await expect(page.getByRole("article").first()).toBeVisible();
  await expect(page).not.toHaveURL(/search/);
  await context.setOffline(false);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  /** What is smaller than a finger, A11-10; what scrolls sideways, or breaks a word. */
  const wrong = (page: Page) =>
    page.evaluate(() => {
      const found: string[] = [];
      if (document.documentElement.scrollWidth > innerWidth) found.push("the page scrolls sideways");
      const top = [...document.querySelectorAll("[role=dialog], [role=menu], [role=listbox], .MuiPopover-paper, main")].at(-1) ?? document.body;
      const about = (element: Element) => element.getAttribute("aria-label") ?? element.textContent?.slice(0, 40) ?? "";
      for (const element of top.querySelectorAll<HTMLElement>("button, [role=option], [role=menuitem], [role=gridcell], input, textarea")) {
        const field = element.closest("label, .MuiInputBase-root") ?? element;
        const box = field.getBoundingClientRect();
        const { visibility, display } = getComputedStyle(element);
        if (box.width === 0 || visibility === "hidden" || display === "contents" || element.ariaHidden === "true") continue;
        // What is drawn over and around it belongs to it.
        const around = getComputedStyle(element, "::after");
        const height = around.position === "absolute" ? Math.max(box.height, parseFloat(around.height) || 0) : box.height;
        if (height < 43.5 || box.width < 43.5) found.push(`${Math.round(box.width)}x${Math.round(height)}: ${about(element)}`);
      }
      for (const element of top.querySelectorAll<HTMLElement>("[role=tabpanel]"))
        if (element.scrollWidth > element.clientWidth) found.push(`scrolls sideways: ${about(element)}`);
      for (const element of top.querySelectorAll<HTMLElement>(".MuiButton-root")) {
        const said = document.createRange();
        for (const node of element.childNodes) {
          if (node.nodeType !== Node.TEXT_NODE || /\s/.test(node.textContent?.trim() ?? "")) continue;
          said.selectNodeContents(node);
          if (said.getClientRects().length > 1) found.push(`a word is broken: ${about(element)}`);
        }
      }
      return found;
    });

  test("A11-10: what is pressed is as large as a finger, nothing scrolls sideways, no word is broken", async ({ page, orvale }) => {
    const user = `finger-${Date.now()}`;
    await orvale.register(user);
    const person = await Person.logIn(orvale.address, user);
    const ben = await Person.logIn(orvale.address, "ben");
    const room = await person.create({ name: "Fingers", preset: "public_chat" });
    await ben.join(room);
    const asked = await person.say(room, "Who comes along?");
    await person.react(room, asked, "👍");
    await ben.send(room, { msgtype: "m.text", body: "I do", "m.relates_to": { "m.in_reply_to": { event_id: asked } } });
    await logIn(page, user);
    await go(page, place(room));
    await expect(message(page, "I do").getByRole("button", { name: /Who comes along/ })).toBeVisible();
    const found: Record<string, string[]> = {};
    const check = async (what: string) => {
      const now = await wrong(page);
      if (now.length > 0) found[what] = now;
    };
    await check("conversation");
    await page.getByRole("textbox", { name: /^Message to/ }).pressSequentially("@");
    await expect(page.getByRole("option").first()).toBeVisible();
    await check("mentions");
    await page.getByRole("textbox", { name: /^Message to/ }).fill("");
    await page.getByRole("button", { name: "Emoji" }).click();
    await expect(page.getByRole("gridcell").first()).toBeVisible();
    await check("emoji");
    await page.keyboard.press("Escape");
    for (const language of ["en", "de"]) {
      await person.ask(
        `/_matrix/client/v3/user/${encodeURIComponent(person.userId)}/account_data/com.orvale.preferences`,
        "PUT",
        { language },
      );
      await expect(page.locator(`html[lang="${language}"]`)).toBeAttached();
      for (const section of ["notifications", "messages", "profile", "devices", "security"]) {
        await goToDialog(page, place(room), `settings=${section}`);
        await expect(page.getByRole("tabpanel")).toHaveText(/\w{3}/);
        await check(`${language} settings ${section}`);
      }
      for (const section of ["general", "rights", "addresses", "advanced"]) {
        await goToDialog(page, place(room), `room=${section}`);
        await expect(page.getByRole("tabpanel")).toHaveText(/\w{3}/);
        await check(`${language} room ${section}`);
      }
    }
    expect(found).toEqual({});
  });
});

test("A11-13: in the system's own colours what is chosen has a line around it; on paper stands the conversation, dark on white", async ({ page, orvale }) => {
  const user = `paper-${Date.now()}`;
  await orvale.register(user);
  const person = await Person.logIn(orvale.address, user);
  const room = await person.create({ name: "Minutes" });
  await person.say(room, "to be printed");
  await logIn(page, user);
  await go(page, place(room));
  await expect(message(page, "to be printed")).toBeVisible();
  await page.emulateMedia({ forcedColors: "active" });
  await expect(rooms(page).locator("[aria-current='page']")).toHaveCSS("outline-style", "solid");
  await expect(page.getByRole("banner").getByRole("button", { name: "Chat" })).toHaveCSS("border-style", "solid");
  await page.emulateMedia({ forcedColors: "none", colorScheme: "dark", media: "print" });
  await expect(message(page, "to be printed")).toHaveCSS("color", "rgb(0, 0, 0)");
  await expect(page.getByRole("heading", { level: 1, name: "Minutes" })).toBeVisible();
  await expect(rooms(page)).toBeHidden();
  await expect(page.getByRole("textbox")).toBeHidden();
});
