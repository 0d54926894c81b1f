// What is in the code of a verification: https://spec.matrix.org/latest/client-server-api/#qr-code-format
// A code is handled as a text of one character for each byte.

const BEGINNING = "MATRIX\x02";
/** The beginning, the mode and the length of the id. */
const HEAD = BEGINNING.length + 3;
const KEYS = 2 * 32;
/** A secret shorter than this protects from nothing. */
const SECRET = 8;

/** Which verification a code belongs to; or that it is no code of one, or not all of one. */
export function flowOf(code: string): { readonly id: string } | "foreign" | "damaged" {
  if (!code.startsWith(BEGINNING)) return "foreign";
  const length = code.charCodeAt(HEAD - 2) * 256 + code.charCodeAt(HEAD - 1);
  if (!(code.length >= HEAD + length + KEYS + SECRET)) return "damaged";
  return { id: new TextDecoder().decode(bytesOf(code.slice(HEAD, HEAD + length))) };
}

export function bytesOf(code: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(code, (sign) => sign.charCodeAt(0));
}

export function textOf(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
