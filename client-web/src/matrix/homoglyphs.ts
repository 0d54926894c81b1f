// Stands in for the package `unhomoglyph` (build/lean-sdk.ts), which the SDK uses to tell names apart that only look the same.
/*
 * Its table weighs as much as a quarter of the SDK and says something new only about letters outside of ASCII. So the few ASCII
 * signs are here, and the table is loaded when the first name needs it; whoever keeps names hears of it and compares them again.
 */

type Replace = (text: string) => string;

/** As in the table, for what ASCII has. */
const ASCII: Readonly<Record<string, string>> = {
  "0": "O",
  "1": "l",
  "`": "'",
  '"': "''",
  "|": "l",
  I: "l",
  "%": "º/₀",
  m: "rn",
};

const listeners = new Set<() => void>();
let whole: Replace | null = null;
let asked = false;

/** The text with each sign that looks like another replaced by that. */
export default function unhomoglyph(text: string): string {
  if (whole) return whole(text);
  // The SDK takes accents apart first; they stand in no need of the table.
  if (/[^\u0300-\u036f\0-\x7f]/.test(text)) load();
  return text.replace(/[01`"|I%m]/g, (sign) => ASCII[sign] ?? sign);
}

/** Calls when the whole table is known from then on; answers with how to end that. */
export function whenLearned(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function load(): void {
  if (asked) return;
  asked = true;
  void import("unhomoglyph/data.json").then(
    ({ default: table }) => {
      const entries = table as Readonly<Record<string, string>>;
      const longest = Math.max(...Object.keys(entries).map((key) => key.length));
      whole = (text) => replaceAll(text, entries, longest);
      for (const listener of listeners) listener();
    },
    () => {
      // Without a connection; the next such name asks again.
      asked = false;
    },
  );
}

function replaceAll(text: string, table: Readonly<Record<string, string>>, longest: number): string {
  let out = "";
  for (let at = 0; at < text.length;) {
    let length = Math.min(longest, text.length - at);
    while (length > 0 && !Object.hasOwn(table, text.slice(at, at + length))) length -= 1;
    if (length === 0) {
      out += text.charAt(at);
      at += 1;
    } else {
      out += table[text.slice(at, at + length)] ?? "";
      at += length;
    }
  }
  return out;
}
