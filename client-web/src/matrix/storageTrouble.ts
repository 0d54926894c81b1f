// Whether this browser keeps nothing: a private window, or no room left. Everything works without, and that is said once.

let trouble = false;
const listeners = new Set<() => void>();

/** Whether nothing is kept. */
export const storageTrouble = (): boolean => trouble;

/** Tells when it turns out so. */
export function onStorageTrouble(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** It turned out so. */
export function tellStorageTrouble(): void {
  if (trouble) return;
  trouble = true;
  for (const listener of listeners) listener();
}
