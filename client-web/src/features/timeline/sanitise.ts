// Formatted bodies are written by strangers. What comes out of here is safe to put into the page, and only that is.

import DOMPurify from "dompurify";

const TAGS = [
  "del",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "blockquote",
  "p",
  "a",
  "ul",
  "ol",
  "sup",
  "sub",
  "li",
  "b",
  "i",
  "u",
  "strong",
  "em",
  "s",
  "code",
  "hr",
  "br",
  "div",
  "table",
  "thead",
  "tbody",
  "tr",
  "th",
  "td",
  "caption",
  "pre",
  "span",
  "details",
  "summary",
];
const ATTRIBUTES = ["href", "start", "class", "data-mx-spoiler"];
const SCHEMES = /^(https?|ftp|mailto|magnet|matrix):/i;
const DEPTH = 100;

/** A matrix.to or matrix: address of a person, a room or a message. */
export interface MatrixLink {
  readonly kind: "user" | "room";
  readonly id: string;
  readonly eventId: string | null;
}

/** Reads an address that leads to somebody or somewhere in Matrix. */
export function readMatrixLink(href: string): MatrixLink | null {
  const web = /^https?:\/\/matrix\.to\/#\/([^/?]+)(?:\/([^/?]+))?/i.exec(href);
  if (web?.[1]) {
    let id: string;
    let event: string | null;
    try {
      id = decodeURIComponent(web[1]);
      event = web[2] ? decodeURIComponent(web[2]) : null;
    } catch {
      return null;
    }
    if (id.startsWith("@")) return { kind: "user", id, eventId: null };
    if (id.startsWith("#") || id.startsWith("!"))
      return { kind: "room", id, eventId: event?.startsWith("$") ? event : null };
    return null;
  }
  const uri = /^matrix:(u|r|roomid)\/([^/?]+)(?:\/e\/([^/?]+))?/i.exec(href);
  if (uri?.[1] && uri[2]) {
    const sigil = { u: "@", r: "#", roomid: "!" }[uri[1].toLowerCase()] ?? "#";
    let id: string;
    try {
      id = sigil + decodeURIComponent(uri[2]);
    } catch {
      return null;
    }
    return { kind: sigil === "@" ? "user" : "room", id, eventId: uri[3] ? `$${uri[3]}` : null };
  }
  return null;
}

function tooDeep(root: Node): boolean {
  let level: Node[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH) return true;
    level = level.flatMap((node) => [...node.childNodes]);
  }
  return false;
}

function tidy(fragment: DocumentFragment, me: string): void {
  for (const link of fragment.querySelectorAll("a")) {
    const href = link.getAttribute("href") ?? "";
    if (!SCHEMES.test(href)) {
      link.removeAttribute("href");
      continue;
    }
    const target = readMatrixLink(href);
    if (target) {
      const own = target.id === me;
      link.className = `pill pill-${target.kind}${own ? " pill-me" : ""}`;
      link.setAttribute("data-matrix", target.id);
      if (target.eventId) link.setAttribute("data-event", target.eventId);
    } else {
      link.removeAttribute("class");
      link.setAttribute("target", "_blank");
      link.setAttribute("rel", "noopener noreferrer nofollow");
    }
  }
  for (const element of fragment.querySelectorAll("[class]:not(a)")) {
    // The only class others may set: the language of code.
    const language =
      element.tagName === "CODE"
        ? /(?:^|\s)language-([\w+#.-]{1,30})/.exec(element.className)?.[1]
        : undefined;
    if (language) element.className = `language-${language}`;
    else element.removeAttribute("class");
  }
  for (const block of fragment.querySelectorAll("pre")) block.setAttribute("tabindex", "0");
  for (const spoiler of fragment.querySelectorAll("[data-mx-spoiler]")) {
    spoiler.setAttribute("class", "spoiler");
    spoiler.setAttribute("role", "button");
    spoiler.setAttribute("tabindex", "0");
    spoiler.setAttribute("aria-pressed", "false");
  }
}

/** Safe HTML of a formatted body, or null if nothing of it can be shown. */
export function sanitise(html: string, me: string): string | null {
  if (html.length > 200_000) return null;
  const fragment = DOMPurify.sanitize(html.replace(/<mx-reply>[\s\S]*?<\/mx-reply>/gi, ""), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: SCHEMES,
    // With the text of an unknown element, without that of these.
    FORBID_CONTENTS: [
      "script",
      "style",
      "svg",
      "math",
      "iframe",
      "object",
      "template",
      "noscript",
      "textarea",
      "title",
    ],
    RETURN_DOM_FRAGMENT: true,
  });
  if (tooDeep(fragment)) return null;
  tidy(fragment, me);
  const holder = document.createElement("div");
  holder.append(fragment);
  if ((holder.textContent ?? "").trim() === "" && !holder.querySelector("hr")) return null;
  return holder.innerHTML;
}

const ADDRESS = /\b(?:https?:\/\/|www\.)[^\s<>"'`]+/gi;

/** A plain text cut into words and addresses. */
export function linkify(
  text: string,
): ReadonlyArray<{ readonly text: string; readonly href: string | null }> {
  const parts: Array<{ text: string; href: string | null }> = [];
  let at = 0;
  for (const found of text.matchAll(ADDRESS)) {
    let address = found[0].replace(/[.,;:!?…]+$/, "");
    // A closing bracket belongs to the sentence unless it was opened in the address.
    while (/[)\]]$/.test(address)) {
      const [open, close] = address.endsWith(")") ? ["(", ")"] : ["[", "]"];
      if (address.split(open).length >= address.split(close).length) break;
      address = address.slice(0, -1);
    }
    if (found.index > at) parts.push({ text: text.slice(at, found.index), href: null });
    parts.push({ text: address, href: address.startsWith("www.") ? `https://${address}` : address });
    at = found.index + address.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), href: null });
  return parts;
}

/** Whether a text is nothing but a few emoji, which are then drawn large. */
export function isJustEmoji(text: string): boolean {
  const bare = text.replace(/\s/gu, "");
  if (bare === "" || bare.length > 40 || !/\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(bare))
    return false;
  if (
    !/^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Emoji_Component}|\p{Regional_Indicator}|\u200d|\ufe0f)+$/u.test(
      bare,
    )
  )
    return false;
  if (/^[\d#*]+$/.test(bare)) return false;
  return [...new Intl.Segmenter().segment(bare)].length <= 6;
}
