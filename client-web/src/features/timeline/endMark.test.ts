import { expect, test } from "vitest";

import { withEndMark } from "./endMark";

const marked = (html: string) => withEndMark(html, { text: "(edited)", title: "a while ago" });
const mark = ' <span class="end-mark" title="a while ago">(edited)</span>';

test("the mark follows the last word, however deep that stands", () => {
  expect(marked("I <strong>ask</strong>")).toBe(`I <strong>ask</strong>${mark}`);
  expect(marked("<p>one</p><p>two</p>")).toBe(`<p>one</p><p>two${mark}</p>`);
  expect(marked("<p>one</p>\n")).toBe(`<p>one${mark}</p>\n`);
  expect(marked("<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>")).toBe(
    `<ul><li>a</li><li>b<ol><li>c${mark}</li></ol></li></ul>`,
  );
  expect(marked("<p>one</p> and more")).toBe(`<p>one</p> and more${mark}`);
});

test("it is not put into code, a table, or a text that is hidden", () => {
  expect(marked("<pre><code>x</code></pre>")).toBe(`<pre><code>x</code></pre>${mark}`);
  expect(marked("<table><tbody><tr><td>x</td></tr></tbody></table>")).toMatch(
    /<\/table> <span class="end-mark"/,
  );
  expect(marked('<p><span class="spoiler">x</span></p>')).toBe(
    `<p><span class="spoiler">x</span>${mark}</p>`,
  );
});

test("its words are words", () => {
  expect(withEndMark("x", { text: "<b>", title: '"' })).toBe(
    'x <span class="end-mark" title="&quot;">&lt;b&gt;</span>',
  );
});
