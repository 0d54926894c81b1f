// From what was typed to what is sent. Pure.

import { Marked, type Tokens } from "marked";

import type { Outgoing } from "../../matrix/send";

/** Somebody or something that can be named in a message. */
export interface Nameable {
  /** `@user:server`, `#alias:server` or `!room:server`. */
  readonly id: string;
  /** As it is written after the sign: "Alice Adams", "general". */
  readonly name: string;
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

const SAFE = /^(https?|ftp|mailto|magnet|matrix):/i;

function unescape(text: string): string {
  return text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&");
}

const markdown = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // What people type as HTML is text.
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escape(text),
    image: ({ text, href }: Tokens.Image) => escape(text || href),
    link(token: Tokens.Link) {
      const inner = this.parser.parseInline(token.tokens);
      return SAFE.test(token.href) ? `<a href="${escape(unescape(token.href))}">${inner}</a>` : inner;
    },
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? "☑ " : "☐ "),
  },
});

/** Where a name can begin: not inside of a word or an address. */
function mentionPattern(people: readonly Nameable[], rooms: readonly Nameable[]): RegExp | null {
  const quoted = (list: readonly Nameable[]) =>
    [...new Set(list.map((item) => item.name).filter(Boolean))]
      .sort((a, b) => b.length - a.length)
      .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const parts = [
    quoted(people).length > 0 ? `@(?:${quoted(people).join("|")})` : "",
    quoted(rooms).length > 0 ? `#(?:${quoted(rooms).join("|")})` : "",
    "@room",
  ].filter(Boolean);
  return parts.length > 0
    ? new RegExp(`(^|[\\s([{"'„“])(${parts.join("|")})(?![\\p{L}\\p{N}_])`, "gu")
    : null;
}

/** Splits a text into what is code and what is not, so that names in code stay code. */
function outsideOfCode(text: string, change: (part: string) => string): string {
  return text
    .split(/(```[\s\S]*?(?:```|$)|`[^`\n]*`)/g)
    .map((part, index) => (index % 2 === 1 ? part : change(part)))
    .join("");
}

/** Makes a message of what was typed; null if there is nothing in it. */
export function compose(
  typed: string,
  people: readonly Nameable[],
  rooms: readonly Nameable[],
): Outgoing | null {
  let text = typed.replace(/\s+$/, "").replace(/^\n+/, "");
  if (text.trim() === "") return null;
  let kind: Outgoing["kind"] = "m.text";
  if (text.startsWith("/me ")) {
    kind = "m.emote";
    text = text.slice(4);
  } else if (text.startsWith("//")) {
    text = text.slice(1);
  }
  const named = new Set<string>();
  let everybody = false;
  const links: string[] = [];
  const pattern = mentionPattern(people, rooms);
  const source = pattern
    ? outsideOfCode(text, (part) =>
        part.replace(pattern, (whole: string, before: string, sign: string) => {
          const name = sign.slice(1);
          if (sign === "@room" && !people.some((person) => person.name === "room")) {
            everybody = true;
            return whole;
          }
          const list = sign.startsWith("@") ? people : rooms;
          const found = list.find((item) => item.name === name);
          if (!found) return whole;
          if (found.id.startsWith("@")) named.add(found.id);
          const shown = found.id.startsWith("@") ? name : sign;
          links.push(`<a href="https://matrix.to/#/${encodeURIComponent(found.id)}">${escape(shown)}</a>`);
          // A sign no keyboard makes stands for the link while markdown is read.
          return `${before}\ue000${String(links.length - 1)}\ue001`;
        }),
      )
    : text;
  const parsed = markdown
    .parse(source.replace(/[\ue002-\ue0ff]/g, ""), { async: false })
    .trim()
    .replace(/\ue000(\d+)\ue001/g, (_whole, index: string) => links[Number(index)] ?? "");
  const html = unwrap(parsed);
  const plain = escape(text).replace(/\n/g, "<br>");
  return {
    body: text,
    html: unescape(html) === unescape(plain) || html === plain ? null : html,
    mentions: [...named],
    ...(everybody ? { room: true } : {}),
    kind,
  };
}

/** One paragraph needs no paragraph around it. */
function unwrap(html: string): string {
  const inner = /^<p>([\s\S]*)<\/p>$/.exec(html)?.[1];
  return inner !== undefined && !inner.includes("<p>") ? inner.replace(/<br>\n?/g, "<br>") : html;
}

/** What is being typed after @ or # right before the cursor. */
export function nameAt(
  text: string,
  cursor: number,
): { readonly sign: "@" | "#"; readonly term: string; readonly from: number } | null {
  const before = text.slice(0, cursor);
  const found = /(^|[\s([{"'„“])([@#])([^\s@#][^@#\n]{0,30}|)$/u.exec(before);
  if (!found) return null;
  const term = found[3] ?? "";
  // Two words at most: "@Alice A".
  if (term.split(" ").length > 2 || term.endsWith("  ")) return null;
  if ((before.match(/```/g)?.length ?? 0) % 2 === 1) return null;
  return { sign: found[2] as "@" | "#", term, from: cursor - term.length - 1 };
}

/** The best names for a term: beginnings of the name before beginnings of words before anything else. */
export function suggest<T extends Nameable>(list: readonly T[], term: string, limit = 8): readonly T[] {
  const wanted = term.toLocaleLowerCase();
  const ranked: Array<{ item: T; rank: number }> = [];
  for (const item of list) {
    const name = item.name.toLocaleLowerCase();
    let rank = -1;
    if (name.startsWith(wanted)) rank = 0;
    else if (name.split(/[\s._-]/).some((word) => word.startsWith(wanted))) rank = 1;
    else if (item.id.slice(1).toLocaleLowerCase().startsWith(wanted)) rank = 2;
    else if (wanted.length > 1 && name.includes(wanted)) rank = 3;
    if (rank >= 0) ranked.push({ item, rank });
  }
  return ranked
    .sort((a, b) => a.rank - b.rank || a.item.name.localeCompare(b.item.name))
    .slice(0, limit)
    .map(({ item }) => item);
}

/** A change of the text field: the new text and what is selected in it. */
export interface Edited {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Puts signs around the selection, or takes them away if they are there. */
export function wrap(text: string, start: number, end: number, sign: string): Edited {
  const size = sign.length;
  if (text.slice(start - size, start) === sign && text.slice(end, end + size) === sign && start >= size) {
    return {
      text: text.slice(0, start - size) + text.slice(start, end) + text.slice(end + size),
      start: start - size,
      end: end - size,
    };
  }
  return {
    text: text.slice(0, start) + sign + text.slice(start, end) + sign + text.slice(end),
    start: start + size,
    end: end + size,
  };
}

/** Makes a block of code of the selection. */
export function block(text: string, start: number, end: number): Edited {
  const before = start > 0 && text[start - 1] !== "\n" ? "\n" : "";
  const after = end < text.length && text[end] !== "\n" ? "\n" : "";
  const opening = `${before}\`\`\`\n`;
  return {
    text: `${text.slice(0, start)}${opening}${text.slice(start, end)}\n\`\`\`${after}${text.slice(end)}`,
    start: start + opening.length,
    end: end + opening.length,
  };
}
