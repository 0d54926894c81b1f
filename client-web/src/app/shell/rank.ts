interface Named {
  name: string;
  hint?: string;
  unread?: boolean;
}

/** What a few letters find, best first: the beginning of the name, of one of its words, anywhere, in order with gaps. */
export function rank<T extends Named>(all: readonly T[], wanted: string): T[] {
  const letters = plain(wanted.trim());
  if (letters === "") return [...all].sort((a, b) => Number(b.unread ?? false) - Number(a.unread ?? false));
  const scored: { one: T; score: number }[] = [];
  for (const one of all) {
    const score = Math.max(fit(plain(one.name), letters), fit(plain(one.hint ?? ""), letters) / 2);
    if (score > 0) scored.push({ one, score });
  }
  return scored
    .sort((a, b) => b.score - a.score || a.one.name.length - b.one.name.length)
    .map(({ one }) => one);
}

function fit(name: string, letters: string): number {
  if (name === "") return 0;
  if (name.startsWith(letters)) return 100;
  if (name.split(/[\s._#-]+/).some((word) => word.startsWith(letters))) return 80;
  if (name.includes(letters)) return 60;
  return hasInOrder(name, letters) ? 20 : 0;
}

function hasInOrder(name: string, letters: string): boolean {
  let from = 0;
  for (const letter of letters) {
    const found = name.indexOf(letter, from);
    if (found < 0) return false;
    from = found + 1;
  }
  return true;
}

/** Without accents and capitals: `Yılmaz` is found by `yil`. */
function plain(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ı", "i")
    .replaceAll("ß", "ss");
}
