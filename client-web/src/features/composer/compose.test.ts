import { expect, test } from "vitest";

import { block, compose, nameAt, suggest, wrap } from "./compose";

const people = [
  { id: "@alice:example.org", name: "Alice" },
  { id: "@alice.adams:example.org", name: "Alice Adams" },
  { id: "@eve:example.org", name: "<Eve>" },
];
const rooms = [{ id: "#general:example.org", name: "general" }];
const write = (text: string) => compose(text, people, rooms);

test("plain text stays plain", () => {
  expect(write("Hello, world")).toEqual({ body: "Hello, world", html: null, mentions: [], kind: "m.text" });
  expect(write("two\nlines & more")?.html).toBeNull();
  expect(write("  \n ")).toBeNull();
});

test("markdown becomes formatted", () => {
  expect(write("**bold** and *it* and `code`")?.html).toBe(
    "<strong>bold</strong> and <em>it</em> and <code>code</code>",
  );
  expect(write("```rust\nlet x;\n```")?.html).toContain('<code class="language-rust">');
  expect(write("- a\n- b")?.html).toContain("<ul>");
});

test("what people type as HTML is text", () => {
  const html = write("**x** <script>alert(1)</script> <img src=x onerror=alert(1)>")?.html ?? "";
  expect(html).not.toMatch(/<script|<img/);
  expect(html).toContain("&lt;script&gt;");
  expect(write("[x](javascript:alert(1)) **y**")?.html).not.toContain("javascript:");
});

test("people are named by link and told, the longest name first", () => {
  const message = write("Ask @Alice Adams about it")!;
  expect(message.mentions).toEqual(["@alice.adams:example.org"]);
  expect(message.html).toBe(
    'Ask <a href="https://matrix.to/#/%40alice.adams%3Aexample.org">Alice Adams</a> about it',
  );
  expect(message.body).toBe("Ask @Alice Adams about it");
  expect(write("@Alice, hello")!.mentions).toEqual(["@alice:example.org"]);
  expect(write("@<Eve> hi")!.html).toContain(">&lt;Eve&gt;</a>");
});

test("names in code, in words and in addresses are not mentions", () => {
  expect(write("`@Alice`")!.mentions).toEqual([]);
  expect(write("```\n@Alice\n```")!.mentions).toEqual([]);
  expect(write("mail@Alice")!.mentions).toEqual([]);
  expect(write("@Alicenot")!.mentions).toEqual([]);
});

test("channels become links, @room tells everybody", () => {
  expect(write("see #general")!.html).toBe(
    'see <a href="https://matrix.to/#/%23general%3Aexample.org">#general</a>',
  );
  expect(write("@room lunch")).toMatchObject({ room: true, mentions: [] });
});

test("/me acts, // begins with a slash", () => {
  expect(write("/me waves")).toMatchObject({ kind: "m.emote", body: "waves" });
  expect(write("//me")).toMatchObject({ kind: "m.text", body: "/me" });
});

test("a name is found before the cursor and nowhere else", () => {
  expect(nameAt("hi @al", 6)).toEqual({ sign: "@", term: "al", from: 3 });
  expect(nameAt("@", 1)).toEqual({ sign: "@", term: "", from: 0 });
  expect(nameAt("mail@al", 7)).toBeNull();
  expect(nameAt("hi @al there friend", 19)).toBeNull();
  expect(nameAt("```\n@al", 7)).toBeNull();
});

test("suggestions prefer beginnings", () => {
  const list = [
    { id: "@x:e", name: "Mala" },
    { id: "@y:e", name: "Bob Alder" },
    { id: "@z:e", name: "Alan" },
  ];
  expect(suggest(list, "al").map((item) => item.name)).toEqual(["Alan", "Bob Alder", "Mala"]);
});

test("formatting wraps the selection and takes itself back", () => {
  expect(wrap("make bold", 5, 9, "**")).toEqual({ text: "make **bold**", start: 7, end: 11 });
  expect(wrap("make **bold**", 7, 11, "**")).toEqual({ text: "make bold", start: 5, end: 9 });
  expect(block("let x", 0, 5).text).toBe("```\nlet x\n```");
});
