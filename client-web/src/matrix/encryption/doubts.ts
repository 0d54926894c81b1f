// What makes one doubt a message or a person of an encrypted conversation. Loaded later.

import type { MatrixClient, MatrixEvent } from "matrix-js-sdk";
import { EventShieldColour, EventShieldReason } from "matrix-js-sdk/lib/crypto-api";
import { useEffect, useState } from "react";

import { useClient } from "../MatrixProvider";
import { unlessOver } from "../unlessOver";
import { useEncryptionState, useTrustChanges } from "./hooks";

/**
 * Why it is not sure who wrote a message: its device is not verified by its owner, or unknown; its sender is no longer who was verified;
 * it came in the clear.
 */
export type Doubt = "device" | "unknown-device" | "identity" | "clear";

/** Encryption was turned on at this time; before, everything came in the clear. */
function encryptedSince(client: MatrixClient, event: MatrixEvent): number {
  const state = client.getRoom(event.getRoomId())?.currentState.getStateEvents("m.room.encryption", "");
  return state?.getTs() ?? Infinity;
}

/** Reads what is doubtful about a message. Only what is alarming counts: most people have never verified each other. */
export async function readDoubt(client: MatrixClient, event: MatrixEvent): Promise<Doubt | null> {
  if (event.status !== null || event.isRedacted()) return null;
  if (!event.isEncrypted()) return event.getTs() > encryptedSince(client, event) ? "clear" : null;
  const crypto = client.getCrypto();
  const info = await crypto?.getEncryptionInfoForEvent(event);
  if (!crypto || info?.shieldColour !== EventShieldColour.RED) return null;
  switch (info.shieldReason) {
    case EventShieldReason.UNSIGNED_DEVICE:
      // Who has not set up encryption has no devices that could be verified.
      return (await crypto.userHasCrossSigningKeys(event.getSender())) ? "device" : null;
    case EventShieldReason.VERIFICATION_VIOLATION:
      return "identity";
    case EventShieldReason.UNKNOWN_DEVICE:
    case EventShieldReason.MISMATCHED_SENDER:
      return "unknown-device";
    default:
      return null;
  }
}

/** What is doubtful about a message, as far as is known. */
export function useDoubt(event: MatrixEvent): Doubt | null {
  const client = useClient();
  const state = useEncryptionState();
  const changes = useTrustChanges();
  const [doubt, setDoubt] = useState<Doubt | null>(null);
  const { status } = event;
  useEffect(() => unlessOver(readDoubt(client, event), setDoubt), [changes, client, event, state, status]);
  return doubt;
}

/** The first of these people who is not who they were: nothing is asked of the server. */
export async function findChanged(client: MatrixClient, userIds: readonly string[]): Promise<string | null> {
  const crypto = client.getCrypto();
  if (!crypto) return null;
  // Who has new keys themselves has verified nobody with them yet: nobody else has changed.
  const own = await crypto.getDeviceVerificationStatus(client.getSafeUserId(), client.getDeviceId() ?? "");
  for (const userId of userIds) {
    const status = await crypto.getUserVerificationStatus(userId);
    const lapsed = status.wasCrossSigningVerified() && !status.isCrossSigningVerified();
    if (status.needsUserApproval || (lapsed && own?.crossSigningVerified)) return userId;
  }
  return null;
}
