const PAUSE = 1_000;

/** Loads a part of the program, and once more if that failed: a connection may have been gone for a moment. */
export async function twice<T>(load: () => Promise<T>, pause = PAUSE): Promise<T> {
  try {
    return await load();
  } catch {
    await new Promise((resolve) => setTimeout(resolve, pause));
    return load();
  }
}
