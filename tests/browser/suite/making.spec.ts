import type { Browser, Locator, Page } from "@playwright/test";

import { PASSWORD } from "../support/orvale.ts";
import { expect, logIn, test } from "../support/test.ts";

// Two people, two browsers, one small machine.
test.describe.configure({ timeout: 240_000 });

/** A person in a browser of their own. */
async function person(browser: Browser, user: string, address: string): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    baseURL: address,
  });
  const page = await context.newPage();
  await logIn(page, user);
  return page;
}

const rooms = (page: Page) => page.getByRole("navigation", { name: "Conversations" });
const field = (page: Page) => page.getByRole("textbox", { name: /^Message to/ });
// Also while a dialog hides the page from roles.
const heading = (page: Page) => page.locator("h1");
const panel = (page: Page) => page.getByRole("complementary", { name: "Details" });
const message = (page: Page, text: string | RegExp) => page.getByRole("article").filter({ hasText: text }).last();

async function open(page: Page, name: string | RegExp): Promise<void> {
  await rooms(page).getByRole("button", { name }).first().click();
  await expect(heading(page)).toHaveText(name);
}

async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press("Enter");
  await expect(message(page, text)).toBeVisible();
}

/** Makes a channel as one does, and answers its dialog before it is made. */
async function channelDialog(page: Page, name: string): Promise<Locator> {
  await page.getByRole("button", { name: "Browse channels" }).click();
  await page.getByRole("button", { name: "Create a channel" }).click();
  const dialog = page.getByRole("dialog", { name: "Create a channel" });
  await dialog.getByLabel("Name", { exact: false }).first().fill(name);
  return dialog;
}

async function makeChannel(page: Page, name: string): Promise<void> {
  const dialog = await channelDialog(page, name);
  await dialog.getByRole("button", { name: "Create", exact: true }).click();
  await expect(heading(page)).toHaveText(name);
}

/** Invites somebody to the open room. */
async function inviteHere(page: Page, term: string, name: RegExp): Promise<void> {
  await page.getByRole("button", { name: /Show members/ }).click();
  await panel(page).getByRole("button", { name: "Invite people" }).click();
  const dialog = page.getByRole("dialog", { name: /^Invite to/ });
  await dialog.getByRole("combobox").fill(term);
  await dialog.getByRole("option", { name }).click();
  await dialog.getByRole("button", { name: "Invite", exact: true }).click();
  await expect(dialog).toBeHidden();
}

test("ROOM-14, ROOM-17: somebody is found and written to; they look at the invitation and accept", async ({
  page,
  browser,
  orvale,
}) => {
  await logIn(page, "elif");
  await page.getByRole("button", { name: "New conversation" }).first().click();
  const dialog = page.getByRole("dialog", { name: "New conversation" });
  await dialog.getByRole("combobox").fill("chiara");
  await dialog.getByRole("option", { name: /Chiara Moretti/ }).click();
  await expect(dialog.getByText("Direct message with Chiara Moretti")).toBeVisible();
  await dialog.getByRole("button", { name: "Start" }).click();
  await expect(heading(page)).toHaveText("Chiara Moretti");
  await say(page, "Is there any tiramisù left?");

  const chiara = await person(browser, "chiara", orvale.address);
  const invitation = rooms(chiara).getByRole("button", { name: /Elif Yılmaz/ });
  await invitation.click();
  await expect(chiara.getByText("Elif Yılmaz wants to chat with you.")).toBeVisible();
  await chiara.getByRole("main").getByRole("button", { name: "Join" }).click();
  await expect(message(chiara, "Is there any tiramisù left?")).toBeVisible();
  await say(chiara, "Half a tray");
  await expect(message(page, "Half a tray")).toBeVisible();

  // Who writes back later is in the same room.
  await chiara.getByRole("button", { name: "New conversation" }).first().click();
  await chiara.getByRole("dialog").getByRole("combobox").fill("elif");
  await chiara.getByRole("dialog").getByRole("option", { name: /Elif/ }).click();
  await chiara.getByRole("dialog").getByRole("button", { name: "Open" }).click();
  await expect(message(chiara, "Half a tray")).toBeVisible();
  await chiara.context().close();
});

test("KEY-01, ROOM-15: a group is made, written to and left, without a mouse", async ({ page }) => {
  await page.goto("/chat");
  await expect(page.getByLabel("User name")).toBeFocused();
  await page.keyboard.type("ben");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(rooms(page)).toBeVisible();
  const opener = page.getByRole("banner").getByRole("button", { name: "New conversation" });
  await opener.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "New conversation" });
  await expect(dialog.getByRole("combobox")).toBeFocused();
  // A11-03: Escape gives the focus back.
  await page.keyboard.press("Escape");
  await expect(opener).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("combobox")).toBeFocused();
  for (const name of ["elif", "dmitri"]) {
    await page.keyboard.type(name);
    await expect(dialog.getByRole("option", { name: new RegExp(name, "i") })).toBeVisible();
    await expect(dialog.getByRole("combobox")).toHaveAttribute("aria-activedescendant", new RegExp(name));
    await expect(page.getByRole("status").filter({ hasText: "1 person found" })).toHaveCount(1);
    await page.keyboard.press("Enter");
    await expect(dialog.getByRole("button", { name: new RegExp(`Remove .*${name}`, "i") })).toBeVisible();
  }
  await expect(dialog.getByText("Group of 3 people, including you")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(heading(page)).toHaveText("Dmitri Sokolov & Elif Yılmaz");
  await expect(field(page)).toBeFocused();
  await page.keyboard.type("Who has the key to the archive?");
  await page.keyboard.press("Enter");
  await expect(message(page, "Who has the key to the archive?")).toBeVisible();
  await page.getByRole("button", { name: "Options", exact: true }).press("Enter");
  await expect(page.getByRole("menu")).toBeVisible();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: /^Leave/ })).toBeVisible();
  await page.getByRole("dialog").getByLabel("Also remove it from my history").press("Space");
  await page.getByRole("dialog").getByRole("button", { name: "Leave" }).press("Enter");
  await expect(rooms(page).getByRole("button", { name: /Dmitri Sokolov & Elif/ })).toHaveCount(0);
});

test("ROOM-05, ROOM-07, ROOM-12: announcements: made, found, joined; members read and react, but do not write", async ({
  page,
  browser,
  orvale,
}) => {
  await logIn(page, "ada");
  const dialog = await channelDialog(page, "Fire drill");
  await expect(dialog.getByLabel("Address")).toHaveValue("fire-drill");
  await dialog.getByLabel("Description").fill("When to leave the building");
  await dialog.getByRole("radio", { name: /Moderators only/ }).check();
  await dialog.getByRole("button", { name: "Create", exact: true }).click();
  await expect(heading(page)).toHaveText("Fire drill");
  await say(page, "Tomorrow at ten");

  const ben = await person(browser, "ben", orvale.address);
  await ben.getByRole("button", { name: "Browse channels" }).click();
  const list = ben.getByRole("dialog", { name: "Channels" });
  await list.getByRole("searchbox").fill("fire");
  const row = list.getByRole("listitem").filter({ hasText: "Fire drill" });
  await expect(row).toContainText("When to leave the building");
  await row.getByRole("button", { name: "Join" }).click();
  await expect(heading(ben)).toHaveText("Fire drill");
  await expect(ben.getByText("Only moderators can write here.")).toBeVisible();
  await expect(field(ben)).toHaveCount(0);
  await expect(rooms(ben).getByRole("button", { name: /Fire drill/ })).toContainText("(read-only)");
  // Who has just joined is shown the room anew once more.
  await expect(async () => {
    await message(ben, "Tomorrow at ten").press("+");
    await expect(ben.getByRole("searchbox", { name: "Find an emoji" })).toBeVisible({ timeout: 3000 });
  }).toPass();
  await ben.getByRole("searchbox", { name: "Find an emoji" }).fill("thumbs up");
  await ben.getByRole("gridcell", { name: "Thumbs up", exact: true }).click();
  await expect(
    message(page, "Tomorrow at ten").getByRole("button", { name: /Ben Lindqvist reacted with 👍/ }),
  ).toBeVisible();

  // The address is taken now.
  const again = await channelDialog(ben, "Fire drill");
  await expect(again.getByText("Another channel already has this address.")).toBeVisible();
  await expect(again.getByRole("button", { name: "Create", exact: true })).toBeDisabled();
  await ben.context().close();
});

test("a request to join: asked, seen by who may decide, let in", async ({ page, browser, orvale }) => {
  await logIn(page, "chiara");
  const dialog = await channelDialog(page, "Chess club");
  await dialog.getByRole("radio", { name: /People who ask and are let in/ }).check();
  await dialog.getByRole("button", { name: "Create", exact: true }).click();
  await expect(heading(page)).toHaveText("Chess club");

  const dmitri = await person(browser, "dmitri", orvale.address);
  await dmitri.getByRole("button", { name: "Browse channels" }).click();
  await dmitri.getByRole("searchbox").fill("chess");
  const row = dmitri.getByRole("listitem").filter({ hasText: "Chess club" });
  await row.getByRole("button", { name: "Ask to join" }).click();
  await dmitri.getByLabel(/Why you would like to join/).fill("I know how the horse moves");
  await dmitri
    .getByRole("dialog", { name: /^Ask to join/ })
    .getByRole("button", { name: "Ask to join" })
    .click();
  await expect(row.getByRole("button", { name: "Cancel request" })).toBeVisible();
  await dmitri.keyboard.press("Escape");
  await expect(rooms(dmitri).getByText("You asked to join")).toBeVisible();

  await page.getByRole("button", { name: /Show members/ }).click();
  await expect(panel(page).getByText("I know how the horse moves")).toBeVisible();
  await panel(page).getByRole("button", { name: "Let Dmitri Sokolov in" }).click();
  await rooms(dmitri).getByRole("button", { name: /Chess club/ }).click();
  await dmitri.getByRole("main").getByRole("button", { name: "Join" }).click();
  await expect(heading(dmitri)).toHaveText("Chess club");
  await say(dmitri, "e4");
  await dmitri.context().close();
});

test("RBAC-21 to RBAC-25: roles, blocking, removing and banning, each with its reason", async ({
  page,
  browser,
  orvale,
}) => {
  await logIn(page, "ada");
  await makeChannel(page, "Order");
  await inviteHere(page, "elif", /Elif/);
  const elif = await person(browser, "elif", orvale.address);
  await rooms(elif).getByRole("button", { name: /Order/ }).click();
  await elif.getByRole("main").getByRole("button", { name: "Join" }).click();
  await say(elif, "Buy my carpets");

  // What is not allowed is explained.
  await elif.getByRole("button", { name: /Show members/ }).click();
  await panel(elif)
    .getByRole("button", { name: /Ada Okafor/ })
    .click();
  await expect(panel(elif).getByText("Only moderators can change roles or remove people here.")).toBeVisible();
  await expect(panel(elif).getByRole("button", { name: "Remove" })).toHaveCount(0);

  // From the author of a message to their card.
  await message(page, "Buy my carpets").getByRole("button", { name: "Elif Yılmaz" }).click();
  await expect(panel(page).getByRole("heading", { name: "Elif Yılmaz" })).toBeVisible();
  await panel(page).getByRole("button", { name: "Block from writing" }).click();
  const block = page.getByRole("dialog", { name: "Block Elif Yılmaz from writing?" });
  await block.getByLabel("Reason (optional)").fill("Advertising");
  await block.getByRole("button", { name: "Block from writing" }).click();
  await expect(panel(page).getByText("Reason: Advertising")).toBeVisible();
  await expect(panel(page).getByText(/^Blocked by Ada Okafor/)).toBeVisible();
  await expect(field(elif)).toHaveCount(0);
  await panel(page).getByRole("button", { name: "Allow to write again" }).click();
  await expect(field(elif)).toBeVisible();

  // A moderator removes what others wrote, and says why.
  await message(page, "Buy my carpets").focus();
  await page.keyboard.press("Delete");
  const remove = page.getByRole("dialog", { name: "Delete this message?" });
  await remove.getByLabel("Reason (optional)").fill("Advertising");
  await remove.getByRole("button", { name: "Delete" }).click();
  await expect(elif.getByText("Removed by Ada Okafor: Advertising").first()).toBeVisible();

  await panel(page).getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "Moderator" }).click();
  await expect(panel(page).getByText(/Keeps order/)).toBeVisible();
  await panel(elif).getByRole("button", { name: "Back to the members" }).click();
  await expect(panel(elif).getByRole("heading", { name: /Moderators/ })).toBeVisible();

  await panel(page).getByRole("button", { name: "Ban" }).click();
  await page
    .getByRole("dialog", { name: /^Ban Elif/ })
    .getByRole("button", { name: "Ban" })
    .click();
  await expect(rooms(elif).getByRole("button", { name: /Order/ })).toHaveCount(0);
  await panel(page).getByRole("button", { name: "Lift ban" }).click();
  await elif.getByRole("button", { name: "Browse channels" }).click();
  await elif.getByRole("searchbox").fill("order");
  await elif.getByRole("listitem").filter({ hasText: "Order" }).getByRole("button", { name: "Join" }).click();
  await expect(heading(elif)).toHaveText("Order");
  await elif.context().close();
});

test("a person's card: mention, message, ignore, report; Escape closes it and gives the focus back", async ({
  page,
}) => {
  await logIn(page, "ada");
  await open(page, "Welcome");
  const opener = page.getByRole("button", { name: /Show members/ });
  await opener.focus();
  await page.keyboard.press("Enter");
  await expect(panel(page).getByRole("heading", { name: "Members", exact: true })).toBeFocused();
  await panel(page)
    .getByRole("button", { name: /Chiara Moretti/ })
    .press("Enter");
  await expect(panel(page).getByText("@chiara:test.example")).toBeVisible();
  await panel(page).getByRole("button", { name: "Mention" }).press("Enter");
  await expect(field(page)).toHaveValue("@Chiara Moretti ");
  await expect(field(page)).toBeFocused();
  await field(page).fill("");

  await panel(page)
    .getByRole("button", { name: /^Ignore/ })
    .click();
  await expect(panel(page).getByText("You are ignoring this person.")).toBeVisible();
  await panel(page).getByRole("button", { name: "Stop ignoring" }).click();
  await expect(panel(page).getByText("You are ignoring this person.")).toBeHidden();

  await panel(page).getByRole("button", { name: "Report…" }).click();
  const report = page.getByRole("dialog", { name: "Report Chiara Moretti?" });
  await expect(report.getByRole("button", { name: "Report" })).toBeDisabled();
  await report.getByLabel("What happened?").fill("Only trying this out");
  await report.getByRole("button", { name: "Report" }).click();
  await expect(report).toBeHidden();

  await panel(page).getByRole("button", { name: "Back to the members" }).focus();
  await page.keyboard.press("Escape");
  await expect(panel(page)).toBeHidden();
  await expect(opener).toBeFocused();

  await rooms(page)
    .getByRole("button", { name: /Ben Lindqvist/ })
    .click();
  await heading(page).getByRole("button", { name: "Ben Lindqvist" }).click();
  await expect(panel(page).getByText("@ben:test.example")).toBeVisible();
});

test("RCPT-04: who has read a message, and who has not", async ({ page, browser, orvale }) => {
  await logIn(page, "ada");
  await open(page, "Help desk");
  await say(page, "The stapler is back");
  const ben = await person(browser, "ben", orvale.address);
  await open(ben, "Help desk");
  await expect(message(ben, "The stapler is back")).toBeVisible();
  await message(page, "The stapler is back").focus();
  await page.keyboard.press("m");
  await page.getByRole("menuitem", { name: "Read by…" }).click();
  const readers = page.getByRole("dialog", { name: "Read by" });
  await expect(readers.getByRole("list", { name: "Read by" })).toContainText("Ben Lindqvist");
  await expect(readers.getByRole("list", { name: "Not yet" })).toContainText("Dmitri Sokolov");
  await ben.context().close();
});

test("ROOM-08 to ROOM-10: what a channel is can be changed, and it can be archived and opened again", async ({
  page,
  browser,
  orvale,
}) => {
  await logIn(page, "ada");
  await makeChannel(page, "Garden");
  await page.getByRole("button", { name: "Options", exact: true }).click();
  await page.getByRole("menuitem", { name: "Channel settings…" }).click();
  const dialog = page.getByRole("dialog", { name: "Channel settings" });
  // The dialog hides the list from roles.
  const row = page
    .getByRole("navigation", { name: "Conversations", includeHidden: true })
    .getByRole("button", { name: /Roof garden/, includeHidden: true });
  await dialog.getByLabel("Name").fill("Roof garden");
  await dialog.getByLabel("Description").fill("Tomatoes and who waters them");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(heading(page)).toHaveText("Roof garden");

  await dialog.getByRole("tab", { name: "Addresses" }).click();
  await dialog.getByLabel("New address").fill("tomatoes");
  await dialog.getByRole("button", { name: "Add" }).click();
  const address = dialog.getByRole("listitem").filter({ hasText: "#tomatoes:" });
  await address.getByRole("button", { name: "Make main address" }).click();
  await expect(address).toContainText("Main address");

  await dialog.getByRole("tab", { name: "Access and writing" }).click();
  await dialog.getByRole("radio", { name: /Invited people only/ }).check();
  await dialog.getByRole("radio", { name: /Members, since they joined/ }).check();
  await dialog.getByRole("radio", { name: /Moderators only/ }).check();
  await expect(row).toContainText("Private channel");
  await expect(row).toContainText("(read-only)");

  await dialog.getByRole("tab", { name: "Advanced" }).click();
  await dialog.getByRole("button", { name: "Archive channel" }).click();
  await page
    .getByRole("dialog", { name: "Archive Roof garden?" })
    .getByRole("button", { name: "Archive channel" })
    .click();
  await expect(row).toHaveCount(0);
  await dialog.getByRole("button", { name: "Reopen channel" }).click();
  await expect(row).toContainText("(read-only)");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();

  // Who may not change a setting sees what it is, and who may.
  const dmitri = await person(browser, "dmitri", orvale.address);
  await open(dmitri, "Welcome");
  await heading(dmitri).getByRole("button").click();
  await dmitri.getByRole("tab", { name: "Access and writing" }).click();
  await expect(dmitri.getByText(/^Only .* can change this\.$/).first()).toBeVisible();
  await expect(dmitri.getByRole("dialog").getByRole("radio")).toHaveCount(0);
  await dmitri.context().close();
});

test("a room's menu: unread, pinned, at the end, when it makes itself heard", async ({ page }) => {
  await logIn(page, "ben");
  const row = (name: string) => rooms(page).getByRole("button", { name: new RegExp(`^#? ?${name}`) });
  const menu = async (name: string, item: string) => {
    await row(name).click({ button: "right" });
    await page.getByRole("menu").getByText(item, { exact: true }).click();
    await expect(page.getByRole("menu")).toBeHidden();
  };
  const order = () =>
    rooms(page)
      .getByRole("button", { name: /Help desk|Welcome/ })
      .evaluateAll((found) =>
        found
          .filter((element) => element.hasAttribute("data-room"))
          .map((element) => (element.textContent.includes("Welcome") ? "Welcome" : "Help desk")),
      );
  await expect(row("Welcome")).toBeVisible();
  await menu("Welcome", "Pin");
  await expect.poll(order).toEqual(["Welcome", "Help desk"]);
  await menu("Welcome", "Unpin");
  await expect.poll(order).toEqual(["Help desk", "Welcome"]);
  await menu("Help desk", "Move to the bottom");
  await expect.poll(order).toEqual(["Welcome", "Help desk"]);
  await menu("Help desk", "Move back up");
  await expect.poll(order).toEqual(["Help desk", "Welcome"]);

  await open(page, "Welcome");
  const bell = page.getByRole("button", { name: /^Notifications:/ });
  await bell.click();
  await page.getByRole("menuitemradio", { name: "Mute" }).click();
  await expect(bell).toHaveAccessibleName("Notifications: Mute");
  await page.reload();
  await expect(bell).toHaveAccessibleName("Notifications: Mute");
  await bell.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitemradio", { name: "Notify for every message" }).press("Enter");
  await expect(bell).toHaveAccessibleName("Notifications: Notify for every message");
  await expect(bell).toBeFocused();

  await open(page, "Help desk");
  await menu("Welcome", "Mark as unread");
  await expect(row("Welcome").getByRole("status", { name: "1 unread message" })).toBeVisible();
  await menu("Welcome", "Mark as read");
  await expect(row("Welcome").getByRole("status")).toHaveCount(0);

  // Sections collapse, say how many they hide, and stay so.
  const section = rooms(page).getByRole("button", { name: /^Channels( \(\d+\))?$/ });
  await section.click();
  await expect(row("Welcome")).toHaveCount(0);
  await expect(section).toHaveAccessibleName(/^Channels \([1-9]\d*\)$/);
  await page.reload();
  await expect(section).toHaveAttribute("aria-expanded", "false");
  await section.click();
  await expect(row("Welcome")).toBeVisible();
});

test("ROOM-21: who is in a group is told to who points at the number", async ({ page }) => {
  await logIn(page, "ada");
  const group = rooms(page).getByRole("button", { name: /Chiara Moretti & Dmitri Sokolov/ });
  await group.getByText("×3").hover();
  await expect(page.getByText("Ada Okafor, Chiara Moretti, Dmitri Sokolov", { exact: true })).toBeVisible();
});

test("who is new finds people and channels at once", async ({ page, orvale }) => {
  await orvale.register("newcomer");
  await logIn(page, "newcomer");
  await expect(page.getByRole("heading", { name: "Welcome, newcomer" })).toBeVisible();
  const channel = page.getByRole("listitem").filter({ hasText: "Say hello, and ask where things are" });
  await channel.getByRole("button", { name: "Join" }).click();
  await expect(heading(page)).toHaveText("Welcome");
  await expect(message(page, "This is where everybody is")).toBeVisible();
});

test("a link to a channel one is not in leads to its door", async ({ page, orvale }) => {
  const { room_id } = await orvale.ask<{ room_id: string }>(
    `/_matrix/client/v3/directory/room/${encodeURIComponent("#help-desk:test.example")}`,
  );
  await logIn(page, "chiara");
  await page.goto(`/chat/room/${encodeURIComponent(room_id)}`);
  await expect(page.getByText("You are not in this channel yet. Everybody can join.")).toBeVisible();
  await page.goto(`/chat/room/${encodeURIComponent("!nothing:test.example")}`);
  await expect(page.getByText("Conversation not found")).toBeVisible();
  await page.getByRole("button", { name: "Back to the conversations" }).click();
  await expect(page.getByText("Choose a conversation")).toBeVisible();
});

test("PRES-01 to PRES-05, PRES-13: availability and what one says of it reach the others, and last", async ({
  page,
  browser,
  orvale,
}) => {
  await logIn(page, "ben");
  // Another device of the same person, which is online: what was chosen counts all the same, and is shown there too.
  const other = await person(browser, "ben", orvale.address);
  const ada = await person(browser, "ada", orvale.address);
  await page.getByRole("button", { name: /^Your account/ }).click();
  await page.getByRole("menuitem", { name: "Set a status message…" }).click();
  const dialog = page.getByRole("dialog", { name: "Your status" });
  await dialog.getByRole("button", { name: "Away" }).click();
  await dialog.getByRole("button", { name: "Back in 30 minutes" }).click();
  await expect(dialog.getByLabel("Away message")).toHaveValue("Back in 30 minutes");
  await dialog.getByLabel("Away message").fill("x".repeat(101));
  await expect(dialog.getByRole("button", { name: "Save" })).toBeDisabled();
  await dialog.getByLabel("Away message").fill("Back in 30 minutes");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  const row = rooms(ada).getByRole("button", { name: /Ben Lindqvist/ });
  await expect(row).toContainText("“Back in 30 minutes”");
  await expect(row).toContainText("Away");
  await expect(other.getByRole("button", { name: /^Your account: Ben Lindqvist, Away/ })).toBeVisible();
  await other.bringToFront();
  await rooms(other).getByRole("button", { name: /Ada/ }).first().click();
  await expect(row).toContainText("Away");

  await page.getByRole("button", { name: /^Your account/ }).click();
  await page.getByRole("menuitemradio", { name: "Busy" }).click();
  await expect(row).toContainText("Busy");
  await page.reload();
  await expect(page.getByRole("button", { name: /^Your account: Ben Lindqvist, Busy/ })).toBeVisible();
  await page.getByRole("button", { name: /^Your account/ }).click();
  await page.getByRole("menuitemradio", { name: "Online" }).click();
  await expect(row).toContainText("Online");
  await other.context().close();
  await ada.context().close();
});

test("at 390 pixels: the dialogs fill the screen, and each way leads back", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await logIn(page, "dmitri");
  await page.getByRole("button", { name: "New conversation" }).first().click();
  const dialog = page.getByRole("dialog", { name: "New conversation" });
  expect((await dialog.boundingBox())?.width).toBe(390);
  await expect(dialog).toHaveCSS("border-radius", "0px");
  await dialog.getByRole("button", { name: "Close" }).click();
  await rooms(page)
    .getByRole("button", { name: /Welcome/ })
    .click();
  await page.getByRole("button", { name: /Show members/ }).click();
  await panel(page)
    .getByRole("button", { name: /Ada Okafor/ })
    .click();
  await expect(panel(page).getByText("@ada:test.example")).toBeVisible();
  await panel(page).getByRole("button", { name: "Back to the members" }).click();
  await panel(page).getByRole("button", { name: "Hide members" }).click();
  await expect(field(page)).toBeVisible();
  await page.getByRole("button", { name: "Back to the conversations" }).click();
  await expect(rooms(page)).toBeVisible();
});
