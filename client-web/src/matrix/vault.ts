// Where the session rests between visits.
/*
 * A page that talks to a Matrix server puts the access token into a header itself, so a script running in the page can always
 * reach it; no place in a browser changes that (a cookie scripts cannot read would need a server that turns cookies into tokens,
 * and would bring cross-site requests with it). What can be kept is this:
 *
 * - the record is sealed with a key that scripts can use but never read, so a copy of the profile's files or a dump of the
 *   database is of no use elsewhere;
 * - access tokens are short-lived where the server offers refresh tokens;
 * - nothing of it is in localStorage, in the URL or in the SDK's own database.
 *
 * Without `crypto.subtle` (plain http away from localhost) the record is stored as it is.
 */

/** What is needed to go on as the same device. */
export interface Session {
  readonly baseUrl: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
}

type Sealed = { readonly iv: Uint8Array<ArrayBuffer>; readonly box: ArrayBuffer } | { readonly open: string };

const DATABASE = "orvale-vault";
const STORE = "session";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The vault cannot be opened"));
  });
}

async function transact<T>(
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("The vault refused"));
    });
  } finally {
    database.close();
  }
}

/** What is kept under a name, and the key it is sealed with, read at once: opening the database is what takes time. */
async function readWithKey(
  name: string,
): Promise<{ sealed: Sealed | undefined; key: CryptoKey | undefined }> {
  let key: IDBRequest<CryptoKey | undefined> | undefined;
  const sealed = await transact<Sealed | undefined>("readonly", (store) => {
    key = store.get("key") as IDBRequest<CryptoKey | undefined>;
    return store.get(name) as IDBRequest<Sealed | undefined>;
  });
  return { sealed, key: key?.result };
}

async function sealingKey(): Promise<CryptoKey | null> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle;
  if (!subtle) return null;
  const { key: kept } = await readWithKey("key");
  if (kept) return kept;
  const key = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await transact("readwrite", (store) => store.put(key, "key"));
  return key;
}

/** Fallback for browsers that refuse IndexedDB (private mode): the session lives as long as the page. */
let onlyHere: Session | null = null;

/** Says that somebody is logged in, and no more: known without waiting, for what is loaded first. */
const HERE = "orvale.here";

/** Whether a session is most probably kept; `readSession` knows. */
export function mayBeHere(): boolean {
  try {
    return localStorage.getItem(HERE) !== null;
  } catch {
    return false;
  }
}

function noteHere(here: boolean): void {
  try {
    if (here) localStorage.setItem(HERE, "1");
    else localStorage.removeItem(HERE);
  } catch {
    // A private window: the next visit waits for the session.
  }
}

/** Keeps the session for the next visit. */
export async function keepSession(session: Session): Promise<void> {
  onlyHere = session;
  try {
    const text = JSON.stringify(session);
    const key = await sealingKey();
    let sealed: Sealed = { open: text };
    if (key) {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      sealed = {
        iv,
        box: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(text)),
      };
    }
    await transact("readwrite", (store) => store.put(sealed, "session"));
    // Last: other tabs hear of it, and then look.
    noteHere(session.accessToken !== "");
  } catch {
    // No storage: works until the page is closed.
  }
}

/** Tells when somebody has logged in in another tab. */
export function onBegunElsewhere(begun: () => void): () => void {
  const hear = ({ key, newValue }: StorageEvent) => {
    if (key === HERE && newValue !== null) begun();
  };
  addEventListener("storage", hear);
  return () => removeEventListener("storage", hear);
}

/** The session of the last visit, or null. */
export async function readSession(): Promise<Session | null> {
  try {
    const { sealed, key } = await readWithKey("session");
    if (!sealed) return onlyHere;
    if ("open" in sealed) return JSON.parse(sealed.open) as Session;
    if (!key) return null;
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv }, key, sealed.box);
    return JSON.parse(new TextDecoder().decode(text)) as Session;
  } catch {
    return onlyHere;
  }
}

/**
 * The key of the session's store of message keys, made on first use and sealed like the session; undefined where nothing can be
 * sealed or kept.
 */
export async function storeKey(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const key = await sealingKey();
    if (!key) return undefined;
    const kept = await transact<Sealed | undefined>(
      "readonly",
      (store) => store.get("store-key") as IDBRequest<Sealed | undefined>,
    );
    if (kept && "box" in kept)
      return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.iv }, key, kept.box));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const fresh = crypto.getRandomValues(new Uint8Array(32));
    const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, fresh);
    await transact("readwrite", (store) => store.put({ iv, box }, "store-key"));
    return fresh;
  } catch {
    return undefined;
  }
}

/** Forgets the session; the key stays, it is of no use alone. */
export async function dropSession(): Promise<void> {
  onlyHere = null;
  noteHere(false);
  try {
    await transact("readwrite", (store) => store.delete("store-key"));
    await transact("readwrite", (store) => store.delete("session"));
  } catch {
    // Nothing was stored.
  }
}
