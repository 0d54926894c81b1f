import Box from "@mui/material/Box";
import { Fragment } from "react";

interface Props {
  text: string;
  /** What is marked in it, in small letters. */
  words: readonly string[];
}

/** A text with what was looked for marked in it. */
export function Marked({ text, words }: Props) {
  return marked(text, words).map((part, at) =>
    part.hit ? (
      <Box
        component="mark"
        key={at}
        sx={{ bgcolor: "surface.mention", color: "inherit", fontWeight: 650, borderRadius: "3px", px: "1px" }}
      >
        {part.text}
      </Box>
    ) : (
      <Fragment key={at}>{part.text}</Fragment>
    ),
  );
}

/** A text in parts: those that are one of the words, and what is between. The longest word counts. */
export function marked(text: string, words: readonly string[]): readonly { text: string; hit: boolean }[] {
  const wanted = words.filter(Boolean).sort((a, b) => b.length - a.length);
  if (wanted.length === 0) return [{ text, hit: false }];
  const small = text.toLowerCase();
  // Where small letters are not as long as the others, places would not fit: then nothing is marked.
  if (small.length !== text.length) return [{ text, hit: false }];
  const parts: { text: string; hit: boolean }[] = [];
  let from = 0;
  for (let at = 0; at < text.length;) {
    const word = startsWord(text, at) ? wanted.find((one) => small.startsWith(one, at)) : undefined;
    if (word === undefined) {
      at += 1;
      continue;
    }
    if (at > from) parts.push({ text: text.slice(from, at), hit: false });
    parts.push({ text: text.slice(at, at + word.length), hit: true });
    at += word.length;
    from = at;
  }
  if (from < text.length) parts.push({ text: text.slice(from), hit: false });
  return parts;
}

/** Words are found where they begin; in scripts without spaces anywhere. */
function startsWord(text: string, at: number): boolean {
  const here = text[at] ?? "";
  return at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1]!) || /[\p{Lo}]/u.test(here);
}

/** The part of a long text around the first of some words. */
export function around(text: string, words: readonly string[], length = 220): string {
  const flat = text.replace(/\s+/g, " ").trim();
  if (flat.length <= length) return flat;
  const small = flat.toLowerCase();
  const places = words.map((word) => small.indexOf(word)).filter((place) => place >= 0);
  const first = places.length > 0 ? Math.min(...places) : 0;
  if (first < length * 0.6) return `${flat.slice(0, length)}…`;
  const start = flat.indexOf(" ", first - Math.round(length / 3)) + 1;
  const end = start + length;
  return `…${flat.slice(start, end)}${end < flat.length ? "…" : ""}`;
}
