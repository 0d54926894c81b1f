// What stands behind the last word of a formatted text, though the text is made of paragraphs, lists and quotes.

/** What ends with a line of words in which there is room for one more. */
const FLOWING = new Set(["P", "DIV", "UL", "OL", "LI", "BLOCKQUOTE", "H1", "H2", "H3", "H4", "H5", "H6"]);

/** A word of the page's own, and what it says to who points at it. */
export interface EndMark {
  readonly text: string;
  readonly title: string;
}

/** Safe HTML with the mark at its end: in its last line where that is one of words, else below. */
export function withEndMark(html: string, { text, title }: EndMark): string {
  // The contents of a template are not part of a page: nothing in it is loaded or run.
  const template = document.createElement("template");
  template.innerHTML = html;
  let place: DocumentFragment | Element = template.content;
  for (let last = lastOf(place); last && FLOWING.has(last.tagName); last = lastOf(place)) place = last;
  const mark = document.createElement("span");
  mark.className = "end-mark";
  mark.title = title;
  mark.textContent = text;
  place.append(" ", mark);
  return template.innerHTML;
}

/** The element something ends with, if no words follow it. */
function lastOf(place: ParentNode): Element | null {
  let last = place.lastChild;
  while (last && !(last instanceof Element) && (last.textContent ?? "").trim() === "")
    last = last.previousSibling;
  return last instanceof Element ? last : null;
}
