import { join } from "node:path";

import type { Page } from "@playwright/test";

import { Person } from "../support/person.ts";
import { expect, logIn, test, violations } from "../support/test.ts";

const artifacts = join(import.meta.dirname, "../../artifacts/screens");

async function look(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries({
    phone: { width: 390, height: 844 },
    desktop: { width: 1440, height: 900 },
  })) {
    await page.setViewportSize(viewport);
    await page.waitForTimeout(300);
    await page.screenshot({
      path: join(artifacts, `${name}-${size}.png`),
      animations: "disabled",
    });
    expect(await violations(page), `${name} on ${size}`).toEqual([]);
  }
}

const message = (page: Page, text: string) => page.getByRole("article").filter({ hasText: text }).last();
const field = (page: Page) => page.getByRole("textbox", { name: /^Message to/ });

async function open(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Conversations" }).getByText(name).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page.getByRole("article").first()).toBeVisible();
}

const inReplyTo = (id: string) => ({
  "m.relates_to": { "m.in_reply_to": { event_id: id } },
});
const inThread = (root: string) => ({
  "m.relates_to": {
    rel_type: "m.thread",
    event_id: root,
    is_falling_back: true,
    "m.in_reply_to": { event_id: root },
  },
});

test("what other clients write is shown as it is meant", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Interop", preset: "public_chat" });
  const html =
    "<p>Some <strong>bold</strong> and <code>code</code><script>alert(1)</script></p><ul><li>one</li></ul>";
  const first = await ben.send(room, {
    msgtype: "m.text",
    body: "Some **bold** and `code`\n- one",
    format: "org.matrix.custom.html",
    formatted_body: html,
  });
  await ben.send(room, {
    msgtype: "m.text",
    body: "> <@ben:test.example> Some\n\nAn old answer",
    ...inReplyTo(first),
  });
  await ben.send(room, {
    msgtype: "m.text",
    body: "In the thread",
    ...inThread(first),
  });
  const wrong = await ben.say(room, "We meet at tne");
  await ben.send(room, {
    msgtype: "m.text",
    body: "* We meet at ten",
    "m.new_content": { msgtype: "m.text", body: "We meet at ten" },
    "m.relates_to": { rel_type: "m.replace", event_id: wrong },
  });
  await ben.send(
    room,
    {
      "m.relates_to": { rel_type: "m.annotation", event_id: wrong, key: "🎉" },
    },
    "m.reaction",
  );
  await ben.send(room, { msgtype: "m.emote", body: "waves" });
  await ben.send(room, { msgtype: "m.notice", body: "A bot says so" });
  await ben.send(room, {
    msgtype: "m.location",
    body: "The old oak",
    geo_uri: "geo:52.5,13.4",
  });
  await ben.send(room, {
    msgtype: "org.example.new",
    body: "A kind of tomorrow",
  });
  await ben.send(room, { body: "An event of tomorrow" }, "org.example.event");
  const url = await ben.upload("song.ogg", "audio/ogg", "no song");
  const info = { mimetype: "audio/ogg", size: 7 };
  await ben.send(room, {
    msgtype: "m.audio",
    body: "song.ogg",
    filename: "song.ogg",
    url,
    info,
  });
  await ben.send(room, {
    msgtype: "m.video",
    body: "film.mp4",
    filename: "film.mp4",
    url,
    info: { mimetype: "video/mp4", size: 7, w: 320, h: 180 },
  });
  await ben.send(room, {
    msgtype: "m.file",
    body: "A caption",
    filename: "plan.pdf",
    url,
    info,
  });

  await logIn(page, "ben");
  await open(page, "Interop");
  const formatted = page.locator(`[data-event-id="${first}"]`);
  await expect(formatted.locator("strong")).toHaveText("bold");
  await expect(formatted.locator("li")).toHaveText("one");
  await expect(formatted.locator("script")).toHaveCount(0);
  await expect(formatted.getByRole("button", { name: /1 reply/ })).toBeVisible();
  const answer = message(page, "An old answer");
  await expect(answer).not.toContainText("> <@ben");
  await expect(answer.getByRole("button", { name: /Ben Lindqvist/ })).toBeVisible();
  await expect(message(page, "We meet at ten")).toContainText("(edited)");
  await expect(
    message(page, "We meet at ten").getByRole("button", {
      name: /reacted with 🎉/,
    }),
  ).toBeVisible();
  await expect(page.getByText("We meet at tne")).toHaveCount(0);
  for (const words of ["waves", "A bot says so", "The old oak", "A kind of tomorrow", "An event of tomorrow"])
    await expect(message(page, words)).toBeVisible();
  await expect(page.getByRole("button", { name: "Play song.ogg" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Play film.mp4" })).toBeVisible();
  await expect(message(page, "A caption")).toContainText("plan.pdf");
  await look(page, "interop");
});

test("polls of both kinds are voted in, counted and ended", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const chiara = await Person.logIn(orvale.address, "chiara");
  const room = await chiara.create({ name: "Polls", preset: "public_chat" });
  await ben.join(room);
  const old = await ben.send(
    room,
    {
      "org.matrix.msc1767.text": "Lunch?\n1. Soup\n2. Cake",
      "org.matrix.msc3381.poll.start": {
        kind: "org.matrix.msc3381.poll.disclosed",
        max_selections: 1,
        question: { "org.matrix.msc1767.text": "Lunch?" },
        answers: [
          { id: "soup", "org.matrix.msc1767.text": "Soup" },
          { id: "cake", "org.matrix.msc1767.text": "Cake" },
        ],
      },
    },
    "org.matrix.msc3381.poll.start",
  );
  const stable = await chiara.send(
    room,
    {
      "m.text": [{ body: "Which day?\n1. Monday\n2. Friday" }],
      "m.poll": {
        kind: "m.undisclosed",
        max_selections: 1,
        question: { "m.text": [{ body: "Which day?" }] },
        answers: [
          { "m.id": "mo", "m.text": [{ body: "Monday" }] },
          { "m.id": "fr", "m.text": [{ body: "Friday" }] },
        ],
      },
    },
    "m.poll.start",
  );
  await ben.send(
    room,
    {
      "m.relates_to": { rel_type: "m.reference", event_id: old },
      "org.matrix.msc3381.poll.response": { answers: ["soup"] },
    },
    "org.matrix.msc3381.poll.response",
  );
  await logIn(page, "chiara");
  await open(page, "Polls");
  const lunch = page.getByRole("group", { name: "Poll: Lunch?" });
  await lunch.getByRole("button", { name: /Soup/ }).click();
  await expect(lunch.getByRole("button", { name: /Soup/ })).toContainText("2 votes");
  await lunch.getByRole("button", { name: /Cake/ }).click();
  await expect(lunch.getByRole("button", { name: /Soup/ })).toContainText("1 vote");
  const day = page.getByRole("group", { name: "Poll: Which day?" });
  await day.getByRole("button", { name: "Friday" }).click();
  await expect(day.getByRole("button", { name: "Friday" })).toHaveAttribute("aria-pressed", "true");
  await expect(day.getByRole("button", { name: "Friday" })).not.toContainText("vote");
  await look(page, "polls");
  await day.getByRole("button", { name: "End poll" }).click();
  await expect(day.getByRole("button", { name: /Friday/ })).toContainText("1 vote");
  await expect
    .poll(async () => (await ben.newest(room)).map(({ type, content }) => ({ type, content })))
    .toContainEqual({
      type: "m.poll.end",
      content: {
        "m.relates_to": { rel_type: "m.reference", event_id: stable },
        "m.text": [{ body: "The poll has ended: Friday" }],
      },
    });
  const sent = (await ben.newest(room)).map(({ type, content }) => ({
    type,
    content,
  }));
  expect(sent).toContainEqual({
    type: "m.poll.response",
    content: {
      "m.relates_to": { rel_type: "m.reference", event_id: stable },
      "m.selections": ["fr"],
    },
  });
  expect(sent).toContainEqual({
    type: "org.matrix.msc3381.poll.response",
    content: {
      "m.relates_to": { rel_type: "m.reference", event_id: old },
      "org.matrix.msc3381.poll.response": { answers: ["cake"] },
    },
  });
});

test("a poll is asked, answered and ended, and reads as a text where there are none", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const chiara = await Person.logIn(orvale.address, "chiara");
  const room = await chiara.create({ name: "Asking", preset: "public_chat" });
  await ben.join(room);
  await ben.say(room, "What shall we do?");
  await logIn(page, "chiara");
  await open(page, "Asking");
  await page.getByRole("button", { name: "GIF or poll" }).click();
  await page.getByRole("menuitem", { name: "Poll" }).click();
  const dialog = page.getByRole("dialog", { name: "Poll" });
  await expect(dialog.getByLabel("Question")).toBeFocused();
  await page.keyboard.type("Where to?");
  await dialog.getByLabel("Answer 1").fill("Lake");
  await page.keyboard.press("Enter");
  await expect(dialog.getByLabel("Answer 2")).toBeFocused();
  await page.keyboard.type("Lake");
  await expect(dialog.getByRole("alert")).toHaveText("Two answers are the same.");
  await expect(dialog.getByRole("button", { name: "Create poll" })).toBeDisabled();
  await dialog.getByLabel("Answer 2").fill("Hills");
  await page.keyboard.press("Enter");
  await page.keyboard.type("Sea");
  await dialog.getByRole("combobox", { name: "How many answers" }).click();
  await page.getByRole("option", { name: "2" }).click();
  await look(page, "poll-dialog");
  await dialog.getByRole("button", { name: "Create poll" }).click();
  await expect(dialog).toBeHidden();
  const poll = page.getByRole("group", { name: "Poll: Where to?" });
  await expect(poll).toContainText("up to 2 answers");
  await expect
    .poll(async () => (await ben.newest(room)).find((event) => event.type.endsWith("poll.start"))?.content)
    .toEqual({
      "org.matrix.msc3381.poll.start": {
        kind: "org.matrix.msc3381.poll.disclosed",
        max_selections: 2,
        question: { "org.matrix.msc1767.text": "Where to?", body: "Where to?", msgtype: "m.text" },
        answers: [
          { id: "1", "org.matrix.msc1767.text": "Lake" },
          { id: "2", "org.matrix.msc1767.text": "Hills" },
          { id: "3", "org.matrix.msc1767.text": "Sea" },
        ],
      },
      "org.matrix.msc1767.text": "Where to?\n1. Lake\n2. Hills\n3. Sea",
      body: "Where to?\n1. Lake\n2. Hills\n3. Sea",
      msgtype: "m.text",
    });
  const start = (await ben.newest(room)).find((event) => event.type.endsWith("poll.start"))!;
  await ben.send(
    room,
    {
      "m.relates_to": { rel_type: "m.reference", event_id: start.event_id },
      "org.matrix.msc3381.poll.response": { answers: ["3"] },
    },
    "org.matrix.msc3381.poll.response",
  );
  await poll.getByRole("button", { name: "Lake" }).click();
  await poll.getByRole("button", { name: "Sea" }).click();
  await expect(poll.getByRole("button", { name: /Sea/ })).toContainText("2 votes");
  await poll.getByRole("button", { name: "End poll" }).click();
  await expect(poll).toContainText("Poll, ended");
});

test("MSG-16, SHR-03: a GIF is found and sent, and nobody but our server is asked", async ({
  page,
  orvale,
  watched,
}) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Moving", preset: "public_chat" });
  await ben.say(room, "Show me a kettle");
  await logIn(page, "ben");
  await open(page, "Moving");
  await page.getByRole("button", { name: "GIF or poll" }).click();
  await page.getByRole("menuitem", { name: "GIF" }).click();
  const panel = page.getByRole("dialog", { name: "GIF" });
  await expect(panel.getByRole("searchbox", { name: "Find a GIF" })).toBeFocused();
  await expect(panel.getByRole("button", { name: "Send: A trending, number 1" })).toBeVisible();
  await page.keyboard.type("kettle");
  await expect(panel.getByRole("button", { name: /^Send: A kettle/ })).toHaveCount(4);
  await expect(panel).toContainText("Powered by GIPHY");
  await expect(panel.locator("img")).toHaveCount(4);
  await look(page, "gifs");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  await expect(panel.getByRole("button", { name: "Send: A kettle, number 4" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(panel).toBeHidden();
  const sent = page.getByRole("button", { name: "Open A kettle, number 4.gif" });
  await expect(sent).toBeVisible();
  await expect(field(page)).toBeFocused();
  await expect
    .poll(async () => (await ben.newest(room))[0]?.content)
    .toEqual({
      msgtype: "m.image",
      body: "A kettle, number 4.gif",
      filename: "A kettle, number 4.gif",
      url: expect.stringMatching(/^mxc:\/\/test\.example\//),
      info: { mimetype: "image/gif", w: 2, h: 3, size: expect.any(Number) },
      "m.mentions": {},
    });
  // It moves while somebody points at it.
  const whole = () => watched.requests.filter((url) => url.includes("/media/download/")).length;
  await page.mouse.move(0, 0);
  const before = whole();
  await sent.hover();
  await expect.poll(whole).toBe(before + 1);
  const asked = orvale.web.asked.find((url) => url.includes("q=kettle"))!;
  expect(new URL(asked, orvale.web.address).searchParams.get("api_key")).toBe("a key of the browser tests");
  expect(new URL(asked, orvale.web.address).searchParams.get("rating")).toBe("g");
});

test("what is sent is what the specification says", async ({ page, orvale }) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Exact", preset: "public_chat" });
  const chiara = await Person.logIn(orvale.address, "chiara");
  await chiara.join(room);
  const asked = await chiara.say(room, "Shall we?");
  await logIn(page, "ben");
  await open(page, "Exact");
  const last = async (type = "m.room.message") =>
    (await chiara.newest(room)).find((event) => event.type === type && event.sender === ben.userId);

  await field(page).fill("Yes, **now**");
  await field(page).press("Enter");
  await expect
    .poll(async () => (await last())?.content)
    .toEqual({
      msgtype: "m.text",
      body: "Yes, **now**",
      format: "org.matrix.custom.html",
      formatted_body: "Yes, <strong>now</strong>",
      "m.mentions": {},
    });
  const own = (await last())!.event_id;

  await page.locator(`[data-event-id="${asked}"]`).first().focus();
  await page.keyboard.press("r");
  await field(page).fill("As you like");
  await field(page).press("Enter");
  await expect
    .poll(async () => (await last())?.content)
    .toEqual({
      msgtype: "m.text",
      body: "As you like",
      "m.mentions": { user_ids: [chiara.userId] },
      ...inReplyTo(asked),
    });

  await message(page, "Yes, now").focus();
  await page.keyboard.press("e");
  await field(page).fill("Yes, later");
  await field(page).press("Enter");
  await expect
    .poll(async () => (await last())?.content)
    .toEqual({
      msgtype: "m.text",
      body: "* Yes, later",
      "m.mentions": {},
      "m.new_content": {
        msgtype: "m.text",
        body: "Yes, later",
        "m.mentions": {},
      },
      "m.relates_to": { rel_type: "m.replace", event_id: own },
    });

  await page.locator(`[data-event-id="${asked}"]`).first().focus();
  await page.keyboard.press("t");
  const panel = page.getByRole("complementary", { name: "Details" });
  await panel.getByRole("textbox").fill("Beside it");
  await panel.getByRole("textbox").press("Enter");
  await expect
    .poll(async () => (await last())?.content)
    .toEqual({
      msgtype: "m.text",
      body: "Beside it",
      "m.mentions": {},
      ...inThread(asked),
    });

  await page.locator(`[data-event-id="${asked}"]`).first().focus();
  await page.keyboard.press("+");
  await page.getByRole("searchbox", { name: "Find an emoji" }).fill("thumbs up");
  await page.getByRole("gridcell", { name: "Thumbs up", exact: true }).click();
  await expect
    .poll(async () => (await last("m.reaction"))?.content)
    .toEqual({
      // With the variation selector of coloured emoji, as the specification asks for.
      "m.relates_to": { rel_type: "m.annotation", event_id: asked, key: "👍\uFE0F" },
    });
});

test("a link is shown with what it leads to, without moving anything, and only where it is wanted", async ({
  page,
  orvale,
}) => {
  const ben = await Person.logIn(orvale.address, "ben");
  const room = await ben.create({ name: "Links", preset: "public_chat" });
  await ben.say(room, `Read ${orvale.web.address}/kettle`);
  await ben.say(room, `And ${orvale.web.address}/nothing-here`);
  await logIn(page, "ben");
  await open(page, "Links");
  const card = message(page, "Read").getByRole("link", { name: /^Link:/ });
  await expect(card).toBeVisible();
  const height = (await card.boundingBox())!.height;
  await expect(card).toContainText("All about kettles");
  await expect(card).toContainText("They boil water.");
  expect((await card.boundingBox())!.height, "SCR-A4: as high as before").toBe(height);
  const none = message(page, "And").getByRole("link", { name: /^Link:/ });
  expect((await none.boundingBox())!.height).toBe(height);
  await look(page, "links");
  await page.goto("/chat?settings=messages");
  await page.getByRole("switch", { name: "Link previews" }).click();
  await page.getByRole("button", { name: "Save preferences" }).click();
  await page.keyboard.press("Escape");
  await open(page, "Links");
  await expect(message(page, "Read")).toBeVisible();
  await expect(page.getByRole("link", { name: /^Link:/ })).toHaveCount(0);
});
