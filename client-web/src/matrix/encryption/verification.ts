// Verifying by a code or by emoji: where a request stands, and what one can do next. Loaded later.

import type { MatrixClient } from "matrix-js-sdk";
import {
  VerificationPhase,
  type ShowQrCodeCallbacks,
  type ShowSasCallbacks,
  type VerificationRequest,
  VerificationRequestEvent,
  type Verifier,
  VerifierEvent,
} from "matrix-js-sdk/lib/crypto-api";
import { useSyncExternalStore } from "react";

import { encryptionOf } from "./Encryption";
import { SAS, SCAN, SHOW } from "./methods";
import { bytesOf, flowOf, textOf } from "./qrCode";
import { askAgain, targetOf, verifyDevice, verifyPerson, verifyThisDevice } from "./security";

/**
 * Where a verification stands. `choosing` is between code and emoji, `scanned` when the other side has read the code of this one, `ticked`
 * when this one has read theirs.
 */
export type Step =
  | "asked"
  | "waiting"
  | "preparing"
  | "choosing"
  | "comparing"
  | "scanned"
  | "ticked"
  | "confirmed"
  | "done"
  | "cancelled";

/** A verification as the dialog draws it. */
export interface VerificationView {
  readonly step: Step;
  /** Whether the other side is a device of one's own. */
  readonly own: boolean;
  readonly userId: string;
  readonly deviceId: string | null;
  /** Whether a code will do, once both sides are ready. */
  readonly codes: boolean;
  /** The code for the other side to scan, a character for each byte; null where they cannot, or there is none. */
  readonly code: string | null;
  /** Whether the other side's code can be scanned. */
  readonly scans: boolean;
  readonly emoji: ReadonlyArray<{ readonly sign: string; readonly name: string }>;
  /** Three numbers, for sides that show no emoji. */
  readonly numbers: readonly number[];
  /** Why it was cancelled. */
  readonly reason: Reason | null;
  /** Whether one can ask for it once more. */
  readonly repeatable: boolean;
}

type Reason = "declined" | "called-off" | "mismatch" | "keys" | "no-tick" | "timeout" | "elsewhere" | "other";

/** What became of a code that was scanned: it is the one, or what is wrong with it. */
export type Scanned = "taken" | "foreign" | "damaged" | "of-others";

/** Whether it is not the code that failed, but telling the server. */
function isOfServer(refused: unknown): boolean {
  const { name, httpStatus } = refused as { name?: string; httpStatus?: number };
  return name === "ConnectionError" || httpStatus !== undefined;
}

/** So long, in ms, somebody is asked, as the spec has it. */
const UNANSWERED = 120_000;

class Watch {
  readonly request: VerificationRequest;
  private readonly client: MatrixClient;
  private readonly listeners = new Set<() => void>();
  /** The other side's; once it is over, the SDK does not know it any more. */
  private deviceId: string | null = null;
  private verifier: Verifier | null = null;
  private sas: ShowSasCallbacks | null = null;
  /** To say whether the other side, which has scanned the code of this one, shows that it fits. */
  private tick: ShowQrCodeCallbacks | null = null;
  private confirmed = false;
  /** Both sides wanted it. */
  private accepted = false;
  /** What there is to choose from is being looked for, or was found. */
  private offer: "unknown" | "looking" | "known" = "unknown";
  private code: string | null = null;
  private scans = false;
  /** Emoji were chosen, or are all there is. */
  private emoji = false;
  /** The other side's code was scanned, and fits. */
  private ticked = false;
  /** Why it ended, where the protocol has no word for it. */
  private ended: Reason | null = null;
  private readonly deadline: ReturnType<typeof setTimeout> | undefined;
  private readonly prompt: ReturnType<typeof setTimeout>;
  private view: VerificationView;

  constructor(client: MatrixClient, request: VerificationRequest) {
    this.client = client;
    this.request = request;
    this.view = this.read();
    request.on(VerificationRequestEvent.Change, this.changed);
    // The crypto ends what has lasted too long with the server's next answer. Who waits is told without it.
    if (request.timeout !== null) this.deadline = setTimeout(this.expire, request.timeout);
    this.prompt = setTimeout(this.dismiss, UNANSWERED);
    this.changed();
  }

  readonly get = (): VerificationView => this.view;
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private readonly expire = (): void => {
    if (!this.request.pending) return;
    this.ended = "timeout";
    this.changed();
  };

  /** Who does not answer is asked no more. Another of their devices may still accept. */
  private readonly dismiss = (): void => {
    if (this.view.step !== "asked") return;
    clearTimeout(this.deadline);
    encryptionOf(this.client).dealtWith(this.request);
  };

  private readonly changed = (): void => {
    const { request } = this;
    if (request.phase === VerificationPhase.Ready || request.phase === VerificationPhase.Started)
      this.accepted = true;
    // Accepted on another device, there is nothing left to do or to tell here.
    if (!this.accepted && request.cancellationCode === "m.accepted") void this.close();
    if (request.phase === VerificationPhase.Ready && this.offer === "unknown") void this.begin();
    if (request.phase === VerificationPhase.Started && request.verifier) this.follow(request.verifier);
    const after = this.read();
    if (JSON.stringify(after) === JSON.stringify(this.view)) return;
    this.view = after;
    for (const listener of this.listeners) listener();
  };

  /** Both sides are ready. Where neither can scan, who asked begins with the emoji; where both begin, the protocol decides. */
  private async begin(): Promise<void> {
    const { request } = this;
    this.offer = "looking";
    this.scans = encryptionOf(this.client).scans && request.otherPartySupportsMethod(SHOW);
    if (request.otherPartySupportsMethod(SCAN)) {
      const bytes = await request.generateQRCode().catch(() => undefined);
      this.code = bytes ? textOf(bytes) : null;
    }
    const choice = this.scans || this.code !== null;
    if (!choice && request.initiatedByMe && request.phase === VerificationPhase.Ready)
      await this.compare().catch(() => undefined);
    // Without a choice, who was asked waits for the other side.
    if (!choice && !request.initiatedByMe) this.emoji = true;
    this.offer = "known";
    this.changed();
  }

  private readonly follow = (verifier: Verifier): void => {
    if (this.verifier === verifier) return;
    this.verifier = verifier;
    const show = (sas: ShowSasCallbacks) => {
      this.sas = sas;
      this.changed();
    };
    const ask = (tick: ShowQrCodeCallbacks) => {
      this.tick = tick;
      this.changed();
    };
    const sas = verifier.getShowSasCallbacks();
    const tick = verifier.getReciprocateQrCodeCallbacks();
    if (sas) show(sas);
    else verifier.once(VerifierEvent.ShowSas, show);
    if (tick) ask(tick);
    else verifier.once(VerifierEvent.ShowReciprocateQr, ask);
    verifier.verify().then(this.changed, this.changed);
  };

  private step(): Step {
    const { request } = this;
    if (this.ended && request.pending) return "cancelled";
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
        if (this.ticked) return "ticked";
        if (this.sas) return this.confirmed ? "confirmed" : "comparing";
        if (this.tick) return this.confirmed ? "confirmed" : "scanned";
        if (request.phase === VerificationPhase.Ready && this.offer === "known" && !this.emoji)
          return "choosing";
        return "preparing";
      default:
        return "preparing";
    }
  }

  private reason(): Reason {
    const { request } = this;
    if (this.ended) return this.ended;
    switch (request.cancellationCode) {
      case "m.user":
        return request.initiatedByMe && !this.accepted ? "declined" : "called-off";
      case "m.mismatched_sas":
      case "m.mismatched_commitment":
        return "mismatch";
      case "m.key_mismatch":
        return "keys";
      case "m.timeout":
        return "timeout";
      case "m.accepted":
        return "elsewhere";
      default:
        return "other";
    }
  }

  private read(): VerificationView {
    const { request } = this;
    const { emoji, decimal } = this.sas?.sas ?? {};
    this.deviceId = targetOf(request) ?? this.deviceId;
    const step = this.step();
    const reason = step === "cancelled" ? this.reason() : null;
    const can = (method: string) => request.otherPartySupportsMethod(method);
    return {
      step,
      own: request.isSelfVerification,
      userId: request.otherUserId,
      deviceId: this.deviceId,
      codes: step === "asked" && (can(SCAN) || (can(SHOW) && encryptionOf(this.client).scans)),
      code: this.code,
      scans: this.scans,
      emoji: (emoji ?? []).map(([sign, name]) => ({ sign, name })),
      numbers: emoji ? [] : (decimal ?? []),
      reason,
      repeatable: request.initiatedByMe || reason === "timeout" || reason === "no-tick",
    };
  }

  /** Yes, let us verify. */
  readonly accept = async (): Promise<void> => {
    await this.request.accept();
    this.changed();
  };

  /** With emoji. */
  readonly compare = async (): Promise<void> => {
    this.emoji = true;
    this.changed();
    try {
      this.follow(await this.request.startVerification(SAS));
    } catch (refused) {
      this.emoji = false;
      this.changed();
      throw refused;
    }
  };

  /** This is the code that the other side shows. */
  readonly scan = async (code: string): Promise<Scanned> => {
    const { request } = this;
    const flow = flowOf(code);
    if (typeof flow === "string") return flow;
    if (flow.id !== request.transactionId) return "of-others";
    try {
      await request.scanQRCode(new Uint8ClampedArray(bytesOf(code)));
      this.ticked = true;
    } catch (refused) {
      // The code of this verification, with other keys than those that are known here: somebody stands between.
      const ofServer = isOfServer(refused);
      this.ended = ofServer ? "other" : "keys";
      await request.cancel().catch(() => undefined);
      if (ofServer) throw refused;
    } finally {
      this.changed();
    }
    return "taken";
  };

  /** It is the same on both sides, or the other side shows a tick. */
  readonly confirm = async (): Promise<void> => {
    this.confirmed = true;
    this.changed();
    if (this.sas) await this.sas.confirm();
    else this.tick?.confirm();
  };

  /** It is not. */
  readonly mismatch = (): void => {
    if (this.sas) this.sas.mismatch();
    else {
      this.ended = "no-tick";
      this.tick?.cancel();
    }
  };

  /** The same once more. */
  readonly again = async (): Promise<void> => {
    const { client, request } = this;
    // Who asked all devices asks all of them again.
    const deviceId = request.initiatedByMe ? targetOf(request) : this.deviceId;
    // Two at a time, and the crypto ends both.
    if (request.pending) await request.cancel().catch(() => undefined);
    if (!request.isSelfVerification) await verifyPerson(client, request.otherUserId);
    else if (deviceId) await verifyDevice(client, deviceId);
    else await verifyThisDevice(client);
  };

  /** Ends it, at whatever point it is, and puts it away. */
  readonly close = async (): Promise<void> => {
    const { client, request } = this;
    clearTimeout(this.deadline);
    clearTimeout(this.prompt);
    if (request.phase === VerificationPhase.Done) askAgain(client);
    encryptionOf(client).dealtWith(request);
    // What has lasted too long is ended by the crypto, which has the right word for it.
    if (request.pending && this.ended !== "timeout") await request.cancel().catch(() => undefined);
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
  const { accept, compare, scan, confirm, mismatch, again, close } = watch;
  return { view, accept, compare, scan, confirm, mismatch, again, close };
}
