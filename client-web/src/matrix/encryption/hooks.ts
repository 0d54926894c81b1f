// What the screen asks of encryption. Light: nothing here loads the keys by itself.

import type { MatrixEvent } from "matrix-js-sdk";
import type { VerificationRequest } from "matrix-js-sdk/lib/crypto-api";
import { useSyncExternalStore } from "react";

import { useClient } from "../MatrixProvider";
import { type Encryption, encryptionOf, type EncryptionState } from "./Encryption";

export type { EncryptionState } from "./Encryption";
/** A request to verify. Opaque outside of this folder: read it through `useVerification`. */
export type Verification = VerificationRequest;

/** The encryption of this session. */
export function useEncryption(): Encryption {
  return encryptionOf(useClient());
}

/** Where the keys are. */
export function useEncryptionState(): EncryptionState {
  const encryption = useEncryption();
  return useSyncExternalStore(encryption.subscribe, encryption.get);
}

/** A request to verify that waits for this person, or null. */
export function useVerificationAsked(): Verification | null {
  const encryption = useEncryption();
  return useSyncExternalStore(encryption.subscribe, encryption.getAsked);
}

/** Changes whenever somebody or something may have become verified, or no longer is. */
export function useTrustChanges(): unknown {
  const encryption = useEncryption();
  const asked = useVerificationAsked();
  const trust = useSyncExternalStore(encryption.subscribe, encryption.getTrust);
  return asked ?? trust;
}

/** Tries once more to read a message, also with keys from the backup. */
export async function readAgain(encryption: Encryption, event: MatrixEvent): Promise<void> {
  await encryption.need();
  await encryption.decrypt(event);
}
