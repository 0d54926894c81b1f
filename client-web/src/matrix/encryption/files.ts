// Files of encrypted rooms: sealed before they are uploaded, opened after they were fetched.
// https://spec.matrix.org/v1.16/client-server-api/#sending-encrypted-attachments
/*
 * The keys of a file stand in the message that names it. Whoever shows the file knows its address only, so the keys are kept here
 * by address; an address belongs to one sealed file for ever.
 */

/** What a message tells of a sealed file. */
export interface SealedFile {
  readonly v: "v2";
  readonly url: string;
  readonly key: JsonWebKey;
  readonly iv: string;
  readonly hashes: Readonly<Record<string, string>>;
}

/** What is known of a sealed file by its address. */
export interface Known {
  readonly file: SealedFile;
  /** The type its message claims; the server knows only that it is bytes. */
  readonly type: string;
  /** The small picture of it, sealed as well. */
  readonly thumbnail: SealedFile | null;
}

const known = new Map<string, Known>();

/** Reads the part of a message that tells how a file was sealed; null if it is not whole. */
export function readSealed(value: unknown): SealedFile | null {
  if (typeof value !== "object" || value === null) return null;
  const { url, key, iv, hashes, v } = value as Record<string, unknown>;
  if (v !== "v2" || typeof url !== "string" || typeof iv !== "string") return null;
  if (typeof key !== "object" || key === null || (key as JsonWebKey).alg !== "A256CTR") return null;
  if (typeof (hashes as { sha256?: unknown } | null)?.sha256 !== "string") return null;
  return { v, url, key: key, iv, hashes: hashes as Record<string, string> };
}

/** Remembers how a file was sealed; answers whether it is whole. */
export function remember(file: unknown, type: string, thumbnail?: unknown, thumbnailType?: string): boolean {
  const sealed = readSealed(file);
  if (!sealed) return false;
  const small = readSealed(thumbnail);
  if (!known.has(sealed.url)) known.set(sealed.url, { file: sealed, type, thumbnail: small });
  if (small && !known.has(small.url))
    known.set(small.url, { file: small, type: thumbnailType ?? "image/jpeg", thumbnail: null });
  return true;
}

/** How the file at an address was sealed; null if it is not sealed. */
export function sealedAt(mxc: string): Known | null {
  return known.get(mxc) ?? null;
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/=+$/, "");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

/** Seals a file; what is to be uploaded, and what the message has to tell once its address is known. */
export async function seal(file: Blob): Promise<{ sealed: Blob; tell: (url: string) => SealedFile }> {
  const key = await crypto.subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
  // The lower half counts blocks and begins at nothing.
  const counter = new Uint8Array(16);
  crypto.getRandomValues(counter.subarray(0, 8));
  const box = await crypto.subtle.encrypt(
    { name: "AES-CTR", counter, length: 64 },
    key,
    await file.arrayBuffer(),
  );
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", box));
  const { k } = await crypto.subtle.exportKey("jwk", key);
  return {
    sealed: new Blob([box], { type: "application/octet-stream" }),
    tell: (url) => ({
      v: "v2",
      url,
      key: { kty: "oct", key_ops: ["encrypt", "decrypt"], alg: "A256CTR", k: k ?? "", ext: true },
      iv: toBase64(counter),
      hashes: { sha256: toBase64(hash) },
    }),
  };
}

/** Opens what was fetched; fails if it is not what its sender sealed. */
export async function unseal(box: Blob, { file, type }: Known): Promise<Blob> {
  const bytes = await box.arrayBuffer();
  const hash = toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  if (hash !== file.hashes["sha256"]?.replace(/=+$/, "")) throw new Error("The file was changed on its way");
  const key = await crypto.subtle.importKey("jwk", file.key, { name: "AES-CTR" }, false, ["decrypt"]);
  const plain = await crypto.subtle.decrypt(
    { name: "AES-CTR", counter: fromBase64(file.iv), length: 64 },
    key,
    bytes,
  );
  return new Blob([plain], { type });
}
