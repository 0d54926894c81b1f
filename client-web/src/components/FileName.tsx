import Box from "@mui/material/Box";

import { Marked } from "./Marked";

/** So long a name is cut at all: a shorter one has room wherever names of files stand. */
const LONG = 20;
/** So many letters stand before the extension where a name is cut. */
const KEPT = 6;
/** What is longer behind the last dot is no extension. */
const EXTENSION = 8;

/** A name in two: what may be cut, and its end with the extension, which tells what it is. */
export function parts(name: string): readonly [start: string, end: string] {
  const letters = Array.from(name);
  if (letters.length <= LONG) return [name, ""];
  const dot = letters.lastIndexOf(".");
  const extension = dot > 0 && letters.length - dot - 1 <= EXTENSION ? letters.length - dot : 0;
  const cut = letters.length - extension - KEPT;
  return [letters.slice(0, cut).join(""), letters.slice(cut).join("")];
}

const NOTHING: readonly string[] = [];

/** The name of a file in one line: where there is no room for all of it, something is missing in the middle. */
export function FileName({ name, words = NOTHING }: { name: string; words?: readonly string[] }) {
  const [start, end] = parts(name);
  return (
    <Box component="span" title={name} dir="auto" sx={{ display: "flex", minWidth: 0, whiteSpace: "pre" }}>
      <Box component="span" sx={{ overflow: "hidden", textOverflow: "ellipsis" }}>
        <Marked text={start} words={words} />
      </Box>
      {end && (
        <Box component="span" sx={{ flex: "none" }}>
          <Marked text={end} words={words} />
        </Box>
      )}
    </Box>
  );
}
