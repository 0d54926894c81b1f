// Where texts that were begun rest in the browser. By itself, so that the first script knows how to remove them.

const PREFIX = "orvale.draft.";

/** Under which name a text is kept. */
export const draftKey = (owner: string, place: string): string => `${PREFIX}${owner} ${place}`;

/** The place of a text that is kept under a name; null where that is somebody else's, or no text. */
export function placeOfKey(owner: string, key: string): string | null {
  const begin = draftKey(owner, "");
  return key.startsWith(begin) ? key.slice(begin.length) : null;
}

/** Removes what somebody has begun to write. */
export function forgetDrafts(owner: string): void {
  try {
    for (const key of Object.keys(localStorage))
      if (placeOfKey(owner, key) !== null) localStorage.removeItem(key);
  } catch {
    // Private mode: nothing was kept.
  }
}
