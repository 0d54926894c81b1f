// A page that is being left loses what it has asked for: that says nothing about the server, and nobody would see what is drawn of it.

let back: Promise<void> | null = null;

addEventListener(
  "pagehide",
  () => {
    back ??= new Promise((done) => {
      addEventListener(
        "pageshow",
        () => {
          back = null;
          done();
        },
        { once: true },
      );
    });
  },
  { capture: true },
);

/** An answer, or why there is none; of a page that is being left not before somebody has come back to it. */
export async function whileHere<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (failure) {
    if (back) await back;
    throw failure;
  }
}
