// A computer that slept has lost its connections, and nobody tells who waits for an answer: it would be waited for in vain.

/** Between two looks at the clock, in ms. */
const LOOK = 1_500;
/** A page that did not run for so long, in ms, slept: one that is merely hidden is run each minute. */
const SLEPT = 90_000;

const listeners = new Set<() => void>();
let looked = 0;
let stop: (() => void) | null = null;

function look(): void {
  const now = Date.now();
  const slept = now - looked > SLEPT;
  looked = now;
  if (slept) for (const listener of [...listeners]) listener();
}

function watch(): () => void {
  looked = Date.now();
  const timer = setInterval(look, LOOK);
  // These come before the next look.
  const events = ["resume", "visibilitychange"] as const;
  for (const event of events) document.addEventListener(event, look);
  return () => {
    clearInterval(timer);
    for (const event of events) document.removeEventListener(event, look);
  };
}

/** Listens for the page to wake; the answer stops it. */
export function onWaking(listener: () => void): () => void {
  listeners.add(listener);
  stop ??= watch();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    stop?.();
    stop = null;
  };
}

/** As `fetch`, of what may be asked twice: who slept meanwhile asks again. */
export async function fetchAwake(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const caller = init?.signal;
  for (;;) {
    const asking = new AbortController();
    let woken = false;
    const stopListening = onWaking(() => {
      woken = true;
      asking.abort();
    });
    // Not `AbortSignal.any`, which browsers of before 2024 do not have. It holds for the answer's body too.
    const callOff = () => asking.abort(caller?.reason);
    caller?.addEventListener("abort", callOff, { once: true });
    if (caller?.aborted) callOff();
    try {
      return await fetch(input, { ...init, signal: asking.signal });
    } catch (failure) {
      if (!woken || caller?.aborted) throw failure;
    } finally {
      stopListening();
    }
  }
}
