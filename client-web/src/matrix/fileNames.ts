// Names of files that others chose.

/** What turns the direction of writing, or is not seen at all: behind such a sign "invoice fdp.exe" is read as a PDF. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu;

/** A name of a file as it is: read from its first letter to its last. */
export function plainName(name: string): string {
  return name.replace(UNSEEN, "");
}
