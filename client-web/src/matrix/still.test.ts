import { describe, expect, it } from "vitest";

import { moves } from "./still";

const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const picture = (type: string, head: string) => new Blob([latin(head)], { type });

describe("whether a picture moves", () => {
  it("a GIF may always", async () => {
    expect(await moves(picture("image/gif", "GIF89a"))).toBe(true);
  });

  it("a WebP says so in its flags", async () => {
    const webp = (chunk: string, flags: number) =>
      `RIFF\0\0\0\0WEBP${chunk}\x0a\0\0\0${String.fromCharCode(flags)}\0\0\0`;
    expect(await moves(picture("image/webp", webp("VP8X", 0x02)))).toBe(true);
    expect(await moves(picture("image/webp", webp("VP8X", 0x10)))).toBe(false);
    expect(await moves(picture("image/webp", webp("VP8 ", 0x02)))).toBe(false);
  });

  it("a PNG has its film announced before the picture", async () => {
    const png = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR0123456789012";
    expect(await moves(picture("image/png", `${png}\0\0\0\x08acTL00000000`))).toBe(true);
    expect(await moves(picture("image/png", `${png}\0\0\0\x08IDAT0000acTL`))).toBe(false);
  });

  it("nothing else does", async () => {
    expect(await moves(picture("image/jpeg", "acTL"))).toBe(false);
  });
});
