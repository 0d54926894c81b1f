// Keys of secret storage that somebody typed in, as the SDK asks for them; kept while the page is open and nowhere else.

import type { CryptoCallbacks } from "matrix-js-sdk/lib/crypto-api";

type Key = Uint8Array<ArrayBuffer>;

class SecretKeys implements CryptoCallbacks {
  private readonly known = new Map<string, Key>();

  readonly getSecretStorageKey: NonNullable<CryptoCallbacks["getSecretStorageKey"]> = ({ keys }) => {
    for (const id of Object.keys(keys)) {
      const key = this.known.get(id);
      if (key) return Promise.resolve([id, key]);
    }
    // The SDK then says that the secret cannot be read, and whoever wanted it asks the person first.
    return Promise.resolve(null);
  };

  readonly cacheSecretStorageKey: NonNullable<CryptoCallbacks["cacheSecretStorageKey"]> = (
    id,
    _info,
    key,
  ) => {
    this.known.set(id, key);
  };

  /** A key that somebody typed in. */
  add(id: string, key: Key): void {
    this.known.set(id, key);
  }

  has(id: string): boolean {
    return this.known.has(id);
  }

  forget(): void {
    this.known.clear();
  }
}

/** The keys typed into this page. */
export const secretKeys = new SecretKeys();
