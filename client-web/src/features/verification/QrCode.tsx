import Box from "@mui/material/Box";
import { encodeQR } from "qr";
import { useMemo } from "react";

import { bytesOf } from "../../matrix/encryption/qrCode";

/** The light edge that a scanner needs to find the code, in squares. */
const EDGE = 4;
/** A square, in pixels: a whole number, so that each is as sharp as the next. */
const SQUARE = 5;

/** A code for a scanner, given as a character for each byte: black on white in every theme. */
export function QrCode({ code, label }: { code: string; label: string }) {
  const { squares, path } = useMemo(() => draw(code), [code]);
  const side = squares * SQUARE;
  return (
    <Box
      component="svg"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${String(squares)} ${String(squares)}`}
      shapeRendering="crispEdges"
      sx={{
        display: "block",
        width: side,
        maxWidth: "100%",
        height: "auto",
        borderRadius: 1,
        bgcolor: "common.white",
        color: "common.black",
        forcedColorAdjust: "none",
      }}
    >
      <path d={path} fill="currentColor" />
    </Box>
  );
}

/** The black squares, those side by side in one stroke. */
function draw(code: string): { squares: number; path: string } {
  // One segment of bytes, as the spec wants it.
  const rows = encodeQR(code, "raw", { encoding: "byte", textEncoder: bytesOf, ecc: "medium", border: EDGE });
  let path = "";
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue;
      const start = x;
      while (row[x]) x += 1;
      path += `M${String(start)} ${String(y)}h${String(x - start)}v1H${String(start)}z`;
    }
  });
  return { squares: rows.length, path };
}
