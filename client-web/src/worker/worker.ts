// The service worker: the program itself is kept in the browser, so that it opens without a connection. Never touches the
// server's answers about people and messages, and never sees a token.

/** What of a worker's surroundings is used; the page's own types know none of it. */
interface Scope {
  addEventListener(name: "install" | "activate", act: (event: Lasting) => void): void;
  addEventListener(name: "fetch", act: (event: Fetching) => void): void;
  addEventListener(name: "notificationclick", act: (event: Clicked) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window" }): Promise<readonly Tab[]>;
    openWindow(address: string): Promise<unknown>;
  };
  readonly location: Location;
}
interface Lasting {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Lasting {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Clicked extends Lasting {
  readonly notification: { readonly data?: { readonly roomId?: string }; close(): void };
}
interface Tab {
  focus(): Promise<unknown>;
  postMessage(told: unknown): void;
}

/** Filled in by build/service-worker.ts. */
declare const FILES: readonly string[];
declare const ENTRY: string;
declare const VERSION: string;

const scope = self as unknown as Scope;
const SHELL = "orvale-shell-";
const OWN = SHELL + VERSION;
const MORE = "orvale-more";
const PAGE = "/chat";
/** A server that does not answer by then is treated as one that is not there. */
const PATIENCE = 3_000;

scope.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(OWN);
      await Promise.all(
        FILES.map(async (file) => {
          // The name of a file tells its content: what an older version kept is as good.
          const known = file.startsWith("/assets/") ? await caches.match(file) : undefined;
          const answer = known ?? (await fetch(file));
          if (!answer.ok) throw new Error(`${file}: ${String(answer.status)}`);
          await cache.put(file, answer);
        }),
      );
      const page = await fetch(PAGE, { cache: "no-store" });
      // Kept only if it is the page of these files.
      if (page.ok && (await page.clone().text()).includes(ENTRY)) await cache.put(PAGE, page);
      await scope.skipWaiting();
    })(),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      // The version before stays for tabs that are still open.
      const shells = (await caches.keys()).filter((name) => name.startsWith(SHELL));
      await Promise.all(shells.slice(0, -2).map((name) => caches.delete(name)));
      await scope.clients.claim();
      for (const tab of await scope.clients.matchAll({ type: "window" })) tab.postMessage({ entry: ENTRY });
    })(),
  );
});

async function page(request: Request): Promise<Response> {
  const kept = () => caches.open(OWN).then((cache) => cache.match(PAGE));
  const asked = fetch(request);
  const slow = new Promise<null>((done) => setTimeout(() => done(null), PATIENCE));
  try {
    const answer = await Promise.race([asked, slow]);
    // What stands in front of a server that is down answers in its place.
    if (answer && answer.status < 500) return answer;
    return (await kept()) ?? answer ?? (await asked);
  } catch (failure) {
    const found = await kept();
    if (found) return found;
    throw failure;
  }
}

async function file(request: Request): Promise<Response> {
  const known = await caches.match(request, { ignoreVary: true });
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) {
    const cache = await caches.open(MORE);
    // Full storage is no reason to refuse the file.
    await cache.put(request, answer.clone()).catch(() => undefined);
  }
  return answer;
}

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== scope.location.origin) return;
  if (request.mode === "navigate") {
    if (pathname === "/" || pathname === PAGE || pathname.startsWith(`${PAGE}/`))
      event.respondWith(page(request));
  } else if (/^\/(assets|emoji|sounds)\/|^\/favicon/.test(pathname)) event.respondWith(file(request));
});

scope.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const roomId = event.notification.data?.roomId;
  event.waitUntil(
    (async () => {
      const [tab] = await scope.clients.matchAll({ type: "window" });
      if (!tab) return scope.clients.openWindow(roomId ? `/chat/room/${encodeURIComponent(roomId)}` : PAGE);
      await tab.focus();
      return tab.postMessage({ open: roomId });
    })(),
  );
});

export {};
