// Waiting for conditions, never for durations.

// A busy machine does a second's work in many.
const PATIENCE_MS = 60_000;
const LOOK_AGAIN_MS = 15;

/** Resolves with what `probe` gives as soon as that is truthy; fails with `what` when it never is. */
export async function until(what, probe, patience = PATIENCE_MS) {
    const deadline = Date.now() + patience;
    for (;;) {
        const found = await probe();
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`waited ${patience} ms in vain until ${what}`);
        await new Promise((next) => setTimeout(next, LOOK_AGAIN_MS));
    }
}
