import { join } from "node:path";

import type { Browser, Page } from "@playwright/test";

import type { Orvale } from "../support/orvale.ts";
import { Person } from "../support/person.ts";
import { ABOVE, expect, go, goToDialog, logIn, test, THEMED, themes, violations } from "../support/test.ts";

// A11-01 for what is opened: dialogs, menus and panels in all nine themes, on a desktop and a phone, and in German. Pictures of
// three themes go to tests/artifacts/screens/dialogs, for people to look at.

const artifacts = join(import.meta.dirname, "../../artifacts/screens/dialogs");

// What is not there is not waited for as long as the whole test takes.
// Colours do not fade from one theme into the next: what is measured is what stays.
test.use({ actionTimeout: 20_000, trace: "off", contextOptions: { reducedMotion: "reduce" } });

const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };
const pictured: readonly string[] = ["dark", "high_contrast"];

const rooms = (page: Page) => page.getByRole("navigation", { name: "Conversations" });
const panel = (page: Page) => page.getByRole("complementary", { name: "Details" });
const message = (page: Page, text: string) => page.getByRole("article").filter({ hasText: text }).last();
const dialog = (page: Page) => page.getByRole("dialog").last();

/** Somebody with a conversation in which there is something of everything. */
interface Set {
  page: Page;
  person: Person;
  ben: Person;
  room: string;
}

/** What the account says of how the page looks. */
async function look(set: Set, chosen: { theme?: string; language?: string }): Promise<void> {
  const theme = chosen.theme ?? "light";
  await set.person.ask(
    `/_matrix/client/v3/user/${encodeURIComponent(set.person.userId)}/account_data/com.orvale.preferences`,
    "PUT",
    { theme, language: chosen.language ?? "en" },
  );
  await expect(set.page.locator(`html[data-theme="${theme === "auto" ? "light" : theme}"]`)).toBeAttached();
  await expect(set.page.locator(`html[lang="${chosen.language ?? "en"}"]`)).toBeAttached();
}

/** What is cut off, and what reaches over the edge of the window. */
async function lost(page: Page): Promise<string[]> {
  let found: string[] = [];
  // The page may still be fitting itself into another window.
  await expect
    .poll(async () => (found = await lostNow(page)).length, { timeout: 2_000 })
    .toBe(0)
    .catch(() => undefined);
  return found;
}

const lostNow = (page: Page) =>
  page.evaluate((above) => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push("the page scrolls sideways");
    const top = [...document.querySelectorAll(above)].at(-1) ?? document.body;
    for (const element of top.querySelectorAll<HTMLElement>("button, a, label, h1, h2, h3, p, [role=tab], [role=menuitem]")) {
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      if (box.width === 0 || style.clipPath !== "none" || style.visibility === "hidden") continue;
      const scrolled = element.closest("[role=tablist]") !== null;
      if (!scrolled && (box.right > innerWidth + 1 || box.left < -1)) found.push(`outside: ${element.textContent.slice(0, 40)}`);
      const says = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
      if (says && element.matches("button") && element.scrollWidth > element.clientWidth + 1 && style.textOverflow !== "ellipsis")
        found.push(`cut off: ${element.textContent.slice(0, 40)}`);
    }
    return found;
  }, ABOVE);

/** Looks at what is open: everything on a desktop and a phone, the contrast in all themes, and what is lost in German. */
async function inspect(set: Set, name: string): Promise<void> {
  const { page } = set;
  const found: Record<string, string[]> = {};
  const check = async (what: string, broken: string[]) => {
    await page.screenshot({ path: join(artifacts, `${name}-${what}.png`), animations: "disabled" });
    if (broken.length > 0) found[what] = broken;
  };
  await check("light", [...(await violations(page)), ...(await lost(page))]);
  for (const theme of themes.filter((one) => one !== "auto" && one !== "light")) {
    await look(set, { theme });
    const broken = await violations(page, THEMED, ABOVE);
    if (pictured.includes(theme)) await check(theme, broken);
    else if (broken.length > 0) found[theme] = broken;
  }
  await look(set, { language: "de" });
  await check("german", await lost(page));
  await page.setViewportSize(phone);
  await check("german-phone", await lost(page));
  await look(set, {});
  await check("phone", [...(await violations(page)), ...(await lost(page))]);
  await page.setViewportSize(desktop);
  expect.soft(found, name).toEqual({});
}

/** A person of their own, at home in a room where much was said. */
async function begin(page: Page, orvale: Orvale, name: string): Promise<Set> {
  const user = `${name}-${Date.now()}`;
  const made = await orvale.register(user);
  const person = await Person.logIn(orvale.address, user);
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await person.create({
    name: "Summer party",
    topic: "Food, music, and who brings what",
    preset: "public_chat",
    room_alias_name: `party-${user}`,
    invite: [ben.userId],
    initial_state: [{ type: "com.orvale.channel", state_key: "", content: { kind: "channel" } }],
  });
  await ben.join(room);
  await person.say(room, "We could have the party on the roof this year.");
  const asked = await ben.say(room, "Who brings the grill? Last time it was far too small for all of us.");
  await person.react(room, asked, "🔥");
  await ben.react(room, asked, "👍");
  const edited = await person.say(room, "I ask the neigbours");
  await person.send(room, {
    msgtype: "m.text",
    body: "* I ask the neighbours",
    "m.new_content": { msgtype: "m.text", body: "I ask the neighbours" },
    "m.relates_to": { rel_type: "m.replace", event_id: edited },
  });
  await ben.send(room, {
    msgtype: "m.text",
    body: "And somebody for the music?",
    "m.relates_to": { rel_type: "m.thread", event_id: asked, is_falling_back: true, "m.in_reply_to": { event_id: asked } },
  });
  await ben.read(room, edited);
  await person.ask(`/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/m.room.pinned_events/`, "PUT", { pinned: [asked] });
  await person.ask(`/_matrix/client/v3/user/${encodeURIComponent(made.user_id)}/account_data/com.orvale.saved`, "PUT", {
    messages: [{ event_id: asked, room_id: room, saved_at: Date.now() }],
  });
  await person.ask(`/_matrix/client/v3/profile/${encodeURIComponent(made.user_id)}/displayname`, "PUT", {
    displayname: "Ines Castellanos-Aguirre",
  });
  await page.setViewportSize(desktop);
  await logIn(page, user);
  await go(page, `/chat/room/${encodeURIComponent(room)}`);
  await expect(message(page, "I ask the neighbours")).toBeVisible();
  return { page, person, ben, room };
}

const at = (set: Set, query: string) => goToDialog(set.page, `/chat/room/${encodeURIComponent(set.room)}`, query);

test("A11-01: beginning, finding, and what stands above everything", async ({ page, orvale }) => {
  test.setTimeout(600_000);
  const set = await begin(page, orvale, "ines");
  await inspect(set, "conversation");
  await at(set, "switch=");
  await page.getByRole("combobox").fill("de");
  await inspect(set, "switcher");
  await at(set, "keys=");
  await expect(dialog(page)).toBeVisible();
  await inspect(set, "keys");
  await at(set, "new=");
  await dialog(page).getByRole("combobox").fill("chiara");
  await dialog(page).getByRole("option", { name: /Chiara/ }).click();
  await dialog(page).getByRole("combobox").fill("elif");
  await dialog(page).getByRole("option", { name: /Elif/ }).click();
  await expect(dialog(page).getByRole("option").first()).toBeVisible();
  await inspect(set, "new-conversation");
  await at(set, "channels=");
  await expect(dialog(page).getByRole("listitem").first()).toBeVisible();
  await inspect(set, "channels");
});

test("A11-01: the settings, section by section", async ({ page, orvale }) => {
  test.setTimeout(600_000);
  const set = await begin(page, orvale, "jonas");
  for (const section of ["appearance", "notifications", "messages"]) {
    await at(set, `settings=${section}`);
    await expect(page.getByRole("tabpanel")).toHaveText(/\w{3}/);
    await inspect(set, `settings-${section}`);
  }
});

test("A11-01: a message, and all that can be done with it", async ({ page, orvale }) => {
  test.setTimeout(600_000);
  const set = await begin(page, orvale, "leon");
  const menu = async (text: string, item: string) => {
    await message(page, text).focus();
    await page.keyboard.press("m");
    await page.getByRole("menuitem", { name: item }).click();
    await expect(dialog(page)).toBeVisible();
  };
  await message(page, "far too small").focus();
  await page.keyboard.press("m");
  await expect(page.getByRole("menu")).toBeVisible();
  await inspect(set, "message-menu");
  await page.keyboard.press("Escape");
  await menu("far too small", "Forward…");
  await inspect(set, "forward");
  await page.keyboard.press("Escape");
  await menu("I ask the neighbours", "Show earlier versions");
  await inspect(set, "history");
  await page.keyboard.press("Escape");
  await menu("far too small", "Who reacted");
  await inspect(set, "reactions");
  await page.keyboard.press("Escape");
  await menu("far too small", "Read by…");
  await inspect(set, "readers");
  await page.keyboard.press("Escape");
  await menu("far too small", "Report…");
  await inspect(set, "report");
  await page.keyboard.press("Escape");
  await menu("I ask the neighbours", "Delete");
  await inspect(set, "delete");
  await page.keyboard.press("Escape");
  await message(page, "far too small").focus();
  await page.keyboard.press("+");
  await expect(page.getByRole("searchbox", { name: "Find an emoji" })).toBeVisible();
  await expect(page.getByRole("gridcell").first()).toBeVisible();
  await inspect(set, "emoji");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Pinned messages/ }).click();
  await expect(panel(page).getByText(/far too small/)).toBeVisible();
  await inspect(set, "pinned");
  await page.getByRole("button", { name: "Threads" }).click();
  await expect(panel(page).getByText(/somebody for the music/)).toBeVisible();
  await inspect(set, "threads");
  await panel(page).getByRole("button", { name: /somebody for the music|far too small/ }).first().click();
  await expect(panel(page).getByRole("textbox")).toBeVisible();
  await inspect(set, "thread");
});

test("A11-01: at the door of a room, and an encrypted one with its people", async ({ page, browser, orvale }) => {
  test.setTimeout(600_000);
  const set = await begin(page, orvale, "mira");
  const chiara = await Person.logIn(orvale.address, "chiara");
  const invited = await chiara.create({ name: "Reading circle", topic: "One book a month", invite: [set.person.userId] });
  await go(page, `/chat/room/${encodeURIComponent(invited)}`);
  await expect(page.getByRole("main").getByRole("button", { name: "Join" })).toBeVisible();
  await inspect(set, "door-invited");
  await go(page, `/chat/room/${encodeURIComponent("!nowhere:test.example")}`);
  await expect(page.getByText("Conversation not found")).toBeVisible();
  await inspect(set, "door-unknown");
  const secret = await set.person.create({
    is_direct: true,
    invite: [chiara.userId],
    preset: "trusted_private_chat",
    initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
  });
  await chiara.join(secret);
  const other = await otherDevice(browser, orvale, "chiara");
  await go(page, `/chat/room/${encodeURIComponent(secret)}`);
  await page.getByRole("button", { name: "Encrypted", exact: true }).click();
  await expect(dialog(page)).toBeVisible();
  await inspect(set, "encryption");
  await other.context().close();
});

async function otherDevice(browser: Browser, orvale: Orvale, user: string): Promise<Page> {
  const context = await browser.newContext({ baseURL: orvale.address });
  const page = await context.newPage();
  await logIn(page, user);
  return page;
}
