import { encodeQR } from "qr";
import { expect, test } from "vitest";

import { bytesOf, textOf } from "../../matrix/encryption/qrCode";
import { read } from "./decode";

/** As long as the code of a verification in a room, with every byte there is. */
const CODE = `MATRIX\x02\x00\x00\x2c${textOf(Uint8Array.from({ length: 256 }, (_, byte) => byte))}`;

/** A picture of a code among other things, with squares of so many pixels. */
function picture(code: string, square: number, light = 255, dark = 0) {
  const rows = encodeQR(code, "raw", { encoding: "byte", textEncoder: bytesOf, border: 4 });
  const side = rows.length * square;
  const [width, height] = [side + 120, side + 60];
  const data = new Uint8ClampedArray(width * height * 4).fill(90);
  for (let y = 0; y < side; y += 1)
    for (let x = 0; x < side; x += 1) {
      const value = rows[Math.floor(y / square)]?.[Math.floor(x / square)] ? dark : light;
      data.fill(value, ((y + 20) * width + x + 70) * 4, ((y + 20) * width + x + 70) * 4 + 3);
    }
  return { width, height, data };
}

test("the bytes of a code in a picture are read as they are, also where it is dim", () => {
  expect(read(picture(CODE, 4))).toBe(CODE);
  expect(read(picture(CODE, 6, 170, 60))).toBe(CODE);
});

test("a picture without a code, or with one half covered, is read as nothing", () => {
  const covered = picture(CODE, 4);
  covered.data.fill(255, covered.data.length / 2);
  expect(read(covered)).toBeNull();
  expect(read({ width: 64, height: 64, data: new Uint8ClampedArray(64 * 64 * 4).fill(128) })).toBeNull();
});
