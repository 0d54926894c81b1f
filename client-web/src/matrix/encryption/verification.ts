// Verifying by comparing emoji: where a request stands, and what one can do next. Loaded later.

import type { MatrixClient } from "matrix-js-sdk";
import {
  VerificationPhase,
  type ShowSasCallbacks,
  type VerificationRequest,
  VerificationRequestEvent,
  type Verifier,
  VerifierEvent,
} from "matrix-js-sdk/lib/crypto-api";
import { useSyncExternalStore } from "react";

import { encryptionOf } from "./Encryption";
import { askAgain, verifyDevice, verifyPerson, verifyThisDevice } from "./security";

const SAS = "m.sas.v1";

/** Where a verification stands. */
export type Step = "asked" | "waiting" | "preparing" | "comparing" | "confirmed" | "done" | "cancelled";

/** A verification as the dialog draws it. */
export interface VerificationView {
  readonly step: Step;
  /** Whether the other side is a device of one's own. */
  readonly own: boolean;
  readonly userId: string;
  readonly deviceId: string | null;
  readonly emoji: ReadonlyArray<{ readonly sign: string; readonly name: string }>;
  /** Three numbers, for sides that show no emoji. */
  readonly numbers: readonly number[];
  /** Why it was cancelled. */
  readonly reason: "declined" | "called-off" | "mismatch" | "timeout" | "elsewhere" | "other" | null;
  /** Whether one began it oneself, and can do so again. */
  readonly mine: boolean;
}

function reasonOf(request: VerificationRequest, accepted: boolean): VerificationView["reason"] {
  switch (request.cancellationCode) {
    case "m.user":
      return request.initiatedByMe && !accepted ? "declined" : "called-off";
    case "m.mismatched_sas":
    case "m.mismatched_commitment":
    case "m.key_mismatch":
      return "mismatch";
    case "m.timeout":
      return "timeout";
    case "m.accepted":
      return "elsewhere";
    default:
      return "other";
  }
}

class Watch {
  readonly request: VerificationRequest;
  private readonly client: MatrixClient;
  private readonly listeners = new Set<() => void>();
  private verifier: Verifier | null = null;
  private sas: ShowSasCallbacks | null = null;
  private confirmed = false;
  /** Both sides wanted it. */
  private accepted = false;
  private view: VerificationView;

  constructor(client: MatrixClient, request: VerificationRequest) {
    this.client = client;
    this.request = request;
    this.view = this.read();
    request.on(VerificationRequestEvent.Change, this.changed);
    this.changed();
  }

  readonly get = (): VerificationView => this.view;
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private readonly changed = (): void => {
    const { request } = this;
    if (request.phase === VerificationPhase.Ready || request.phase === VerificationPhase.Started)
      this.accepted = true;
    // Accepted on another device, there is nothing left to do or to tell here.
    if (!this.accepted && request.cancellationCode === "m.accepted") void this.close();
    // Who asked begins, once the other side is ready; where both begin, the protocol decides.
    if (request.phase === VerificationPhase.Ready && request.initiatedByMe && !this.verifier)
      request.startVerification(SAS).then(this.follow, () => this.changed());
    if (request.phase === VerificationPhase.Started && request.verifier) this.follow(request.verifier);
    const after = this.read();
    if (JSON.stringify(after) === JSON.stringify(this.view)) return;
    this.view = after;
    for (const listener of this.listeners) listener();
  };

  private readonly follow = (verifier: Verifier): void => {
    if (this.verifier === verifier) return;
    this.verifier = verifier;
    const show = (sas: ShowSasCallbacks) => {
      this.sas = sas;
      this.changed();
    };
    const ready = verifier.getShowSasCallbacks();
    if (ready) show(ready);
    else verifier.once(VerifierEvent.ShowSas, show);
    verifier.verify().then(this.changed, this.changed);
  };

  private step(): Step {
    const { request } = this;
    switch (request.phase) {
      case VerificationPhase.Done:
        return "done";
      case VerificationPhase.Cancelled:
        return "cancelled";
      case VerificationPhase.Unsent:
      case VerificationPhase.Requested:
        return request.initiatedByMe ? "waiting" : request.accepting ? "preparing" : "asked";
      case VerificationPhase.Ready:
      case VerificationPhase.Started:
        if (!this.sas) return "preparing";
        return this.confirmed ? "confirmed" : "comparing";
      default:
        return "preparing";
    }
  }

  private read(): VerificationView {
    const { request } = this;
    const { emoji, decimal } = this.sas?.sas ?? {};
    return {
      step: this.step(),
      own: request.isSelfVerification,
      userId: request.otherUserId,
      deviceId: request.otherDeviceId ?? null,
      emoji: (emoji ?? []).map(([sign, name]) => ({ sign, name })),
      numbers: emoji ? [] : (decimal ?? []),
      reason: request.phase === VerificationPhase.Cancelled ? reasonOf(request, this.accepted) : null,
      mine: request.initiatedByMe,
    };
  }

  /** Yes, let us verify. */
  readonly accept = async (): Promise<void> => {
    await this.request.accept();
    this.changed();
  };

  /** They are the same on both sides. */
  readonly confirm = async (): Promise<void> => {
    this.confirmed = true;
    this.changed();
    await this.sas?.confirm();
  };

  /** They are not. */
  readonly mismatch = (): void => this.sas?.mismatch();

  /** The same once more. */
  readonly again = (): Promise<void> => {
    const { client, request } = this;
    if (!request.isSelfVerification) return verifyPerson(client, request.otherUserId);
    const { otherDeviceId } = request;
    return otherDeviceId ? verifyDevice(client, otherDeviceId) : verifyThisDevice(client);
  };

  /** Ends it, at whatever point it is, and puts it away. */
  readonly close = async (): Promise<void> => {
    if (this.request.phase === VerificationPhase.Done) askAgain(this.client);
    encryptionOf(this.client).dealtWith(this.request);
    if (this.request.pending) await this.request.cancel().catch(() => undefined);
  };
}

const watches = new WeakMap<VerificationRequest, Watch>();

/** One verification: where it stands, and what can be done. */
export function useVerification(client: MatrixClient, request: VerificationRequest) {
  let watch = watches.get(request);
  if (!watch) {
    watch = new Watch(client, request);
    watches.set(request, watch);
  }
  const view = useSyncExternalStore(watch.subscribe, watch.get);
  const { accept, confirm, mismatch, again, close } = watch;
  return { view, accept, confirm, mismatch, again, close };
}
