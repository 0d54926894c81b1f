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

async function sealingKey(): Promise<CryptoKey | null> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle;
  if (!subtle) return null;
  const kept = await transact<CryptoKey | undefined>(
    "readonly",
    (store) => store.get("key") as IDBRequest<CryptoKey | undefined>,
  );
  if (kept) return kept;
  const key = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await transact("readwrite", (store) => store.put(key, "key"));
  return key;
}

/** Fallback for browsers that refuse IndexedDB (private mode): the session lives as long as the page. */
let onlyHere: Session | null = null;

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
  } catch {
    // No storage: works until the page is closed.
  }
}

/** The session of the last visit, or null. */
export async function readSession(): Promise<Session | null> {
  try {
    const sealed = await transact<Sealed | undefined>(
      "readonly",
      (store) => store.get("session") as IDBRequest<Sealed | undefined>,
    );
    if (!sealed) return onlyHere;
    if ("open" in sealed) return JSON.parse(sealed.open) as Session;
    const key = await sealingKey();
    if (!key) return null;
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv }, key, sealed.box);
    return JSON.parse(new TextDecoder().decode(text)) as Session;
  } catch {
    return onlyHere;
  }
}

/** Forgets the session; the key stays, it is of no use alone. */
export async function dropSession(): Promise<void> {
  onlyHere = null;
  try {
    await transact("readwrite", (store) => store.delete("session"));
  } catch {
    // Nothing was stored.
  }
}
