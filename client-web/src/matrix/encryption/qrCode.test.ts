import { expect, test } from "vitest";

import { bytesOf, flowOf, textOf } from "./qrCode";

const KEYS = textOf(new Uint8Array(64).fill(0xff));
const SECRET = textOf([1, 2, 3, 4, 5, 6, 7, 8]);
const head = (mode: string, id: string) => `MATRIX\x02${mode}\x00${String.fromCharCode(id.length)}${id}`;

test("a code tells which verification it belongs to", () => {
  for (const mode of ["\x00", "\x01", "\x02"])
    expect(flowOf(head(mode, "$event:example.org") + KEYS + SECRET)).toEqual({ id: "$event:example.org" });
});

test("an address is no code of a verification, and neither is one of another version", () => {
  expect(flowOf("https://example.org/MATRIX\x02")).toBe("foreign");
  expect(flowOf(`MATRIX\x03\x00\x00\x01$${KEYS}${SECRET}`)).toBe("foreign");
  expect(flowOf("")).toBe("foreign");
});

test("a code that is not all there is damaged", () => {
  const whole = head("\x00", "$event") + KEYS + SECRET;
  for (const length of [7, 8, 9, 12, 40, whole.length - 1])
    expect(flowOf(whole.slice(0, length))).toBe("damaged");
});

test("every byte comes back from its character", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect(bytesOf(textOf(all))).toEqual(all);
});
