// The service worker as the page knows it: registered when the chat has come to rest, asked for news now and then.

type Listener = () => void;

const EVERY = 30 * 60_000;

let newer = false;
const listeners = new Set<Listener>();
let registration: Promise<ServiceWorkerRegistration | null> | null = null;

function ownEntry(): string {
  const script = document.querySelector<HTMLScriptElement>("script[type='module'][src]");
  return script ? new URL(script.src).pathname : "";
}

/** Whether a newer version of the program is there than the one on the screen. */
export const isNewer = (): boolean => newer;

/** Tells when a newer version has come. */
export function onNewer(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Keeps the program in the browser, and looks for newer versions. */
export function keepProgram(open: (roomId: string) => void): () => void {
  const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer };
  if (!serviceWorker || !import.meta.env.PROD) return () => undefined;
  const onMessage = ({ data }: MessageEvent<{ entry?: string; open?: string }>) => {
    if (data.open) open(data.open);
    if (!data.entry || data.entry === ownEntry() || newer) return;
    newer = true;
    for (const listener of listeners) listener();
  };
  serviceWorker.addEventListener("message", onMessage);
  registration ??= serviceWorker.register("/sw.js").catch(() => null);
  const timer = setInterval(lookForNewer, EVERY);
  return () => {
    serviceWorker.removeEventListener("message", onMessage);
    clearInterval(timer);
  };
}

/** Asks the server whether there is a newer version: it may have been restarted with one. */
export function lookForNewer(): void {
  void registration?.then((found) => found?.update().catch(() => undefined));
}
