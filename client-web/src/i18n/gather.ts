/** A tree of texts: `rooms.direct.empty`. */
export interface Texts {
  [key: string]: string | Texts;
}

/** The files of a folder as one tree; a file's name is the first part of its keys. */
export function gather(files: Record<string, { default: Texts }>): Texts {
  const texts: Texts = {};
  for (const [path, file] of Object.entries(files)) {
    const name = path.slice(path.lastIndexOf("/") + 1, -".ts".length);
    texts[name] = file.default;
  }
  return texts;
}
