import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { textOf } from "../../matrix/encryption/qrCode";
import { show } from "../../testing/show";
import { read } from "./decode";
import { QrCode } from "./QrCode";

const SQUARE = 4;

/** Draws what the browser would: light, and the black squares of the path. */
function paint(svg: SVGElement) {
  const squares = Number(svg.getAttribute("viewBox")?.split(" ")[2]);
  const side = squares * SQUARE;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  const strokes = svg.querySelector("path")?.getAttribute("d") ?? "";
  for (const [, x, y, length] of strokes.matchAll(/M(\d+) (\d+)h(\d+)v1H\1z/g))
    for (let row = Number(y) * SQUARE; row < (Number(y) + 1) * SQUARE; row += 1) {
      const start = row * side + Number(x) * SQUARE;
      data.fill(0, start * 4, (start + Number(length) * SQUARE) * 4);
    }
  return { squares, data, width: side, height: side };
}

test("what is drawn is the code, black on white with a light edge of four squares, and has a name", () => {
  const code = `MATRIX\x02\x01${textOf(Uint8Array.from({ length: 120 }, (_, n) => (n * 37) % 256))}`;
  show(<QrCode code={code} label="QR code for the other side to scan" />);
  const svg = screen.getByRole("img", { name: "QR code for the other side to scan" });
  const painted = paint(svg as unknown as SVGElement);
  expect(read(painted)).toBe(code);
  const { squares } = painted;
  const starts = [...(svg.querySelector("path")?.getAttribute("d") ?? "").matchAll(/M(\d+) (\d+)/g)];
  for (const [, x, y] of starts)
    for (const at of [Number(x), Number(y)]) expect(at >= 4 && at < squares - 4).toBe(true);
  const style = getComputedStyle(svg);
  expect([style.backgroundColor, style.color]).toEqual([
    expect.stringContaining("common-white"),
    expect.stringContaining("common-black"),
  ]);
  expect(svg.getAttribute("shape-rendering")).toBe("crispEdges");
});
