// The file that message keys are kept in outside of any program, under a passphrase.
// https://spec.matrix.org/v1.16/client-server-api/#key-exports

const BEGIN = "-----BEGIN MEGOLM SESSION DATA-----";
const END = "-----END MEGOLM SESSION DATA-----";
const ROUNDS = 500_000;
/** More than this is a file that was made to keep the browser busy. */
const MOST_ROUNDS = 10_000_000;

/** What is wrong with a file of keys. */
export class KeyFileError extends Error {
  readonly wrong: "file" | "passphrase";

  constructor(wrong: "file" | "passphrase") {
    super(wrong === "file" ? "Not a file of message keys" : "The passphrase does not open the file");
    this.wrong = wrong;
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

async function keysFrom(passphrase: string, salt: Bytes, iterations: number) {
  const { subtle } = crypto;
  const base = await subtle.importKey("raw", new TextEncoder().encode(passphrase), "PBKDF2", false, [
    "deriveBits",
  ]);
  const bits = await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-512", salt, iterations }, base, 512);
  return {
    cipher: await subtle.importKey("raw", bits.slice(0, 32), "AES-CTR", false, ["encrypt", "decrypt"]),
    seal: await subtle.importKey("raw", bits.slice(32), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
      "verify",
    ]),
  };
}

function joined(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Writes keys into the text of such a file. */
export async function writeKeyFile(keys: string, passphrase: string, rounds = ROUNDS): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const counter = crypto.getRandomValues(new Uint8Array(16));
  // Bit 63 stays nothing: some programs count with 64 bits, some with 128.
  counter[8] = (counter[8] ?? 0) & 0x7f;
  const { cipher, seal } = await keysFrom(passphrase, salt, rounds);
  const box = await crypto.subtle.encrypt(
    { name: "AES-CTR", counter, length: 64 },
    cipher,
    new TextEncoder().encode(keys),
  );
  const count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, rounds);
  const body = joined(new Uint8Array([1]), salt, counter, count, new Uint8Array(box));
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", seal, body));
  let text = "";
  for (const byte of joined(body, mac)) text += String.fromCharCode(byte);
  const lines = btoa(text).match(/.{1,96}/g) ?? [];
  return [BEGIN, ...lines, END, ""].join("\n");
}

/** Reads the keys out of such a file. */
export async function readKeyFile(text: string, passphrase: string): Promise<string> {
  const start = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (start < 0 || end < start) throw new KeyFileError("file");
  let all: Bytes;
  try {
    const plain = atob(text.slice(start + BEGIN.length, end).replaceAll(/\s/g, ""));
    all = Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  } catch {
    throw new KeyFileError("file");
  }
  if (all.length < 69 || all[0] !== 1) throw new KeyFileError("file");
  const rounds = new DataView(all.buffer).getUint32(33);
  if (rounds < 1 || rounds > MOST_ROUNDS) throw new KeyFileError("file");
  const body = all.slice(0, -32);
  const { cipher, seal } = await keysFrom(passphrase, all.slice(1, 17), rounds);
  if (!(await crypto.subtle.verify("HMAC", seal, all.slice(-32), body))) throw new KeyFileError("passphrase");
  const plain = await crypto.subtle.decrypt(
    { name: "AES-CTR", counter: all.slice(17, 33), length: 64 },
    cipher,
    body.slice(37),
  );
  return new TextDecoder().decode(plain);
}
