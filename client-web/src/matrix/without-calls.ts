// Stands in for the SDK's calls (build/lean-sdk.ts), a sixth of its weight, which this client switches off (`disableVoip`).
/*
 * Calls are rung and shown by a part of their own that is loaded when somebody calls; the SDK's client only has to find something
 * it can start and stop.
 */

/** Nothing to start, nothing to stop. */
class Off {
  start(): void {
    // Switched off.
  }
  stop(): void {
    // Switched off.
  }
}

export {
  Off as CallEventHandler,
  Off as GroupCallEventHandler,
  Off as MatrixRTCSessionManager,
  Off as MediaHandler,
};

/** Group calls of the SDK are not made here. */
export class GroupCall {
  constructor() {
    throw new Error("The SDK's group calls are not part of this client");
  }
}

/** So the SDK takes the browser for one that cannot call, and starts nothing. */
export function supportsMatrixCall(): boolean {
  return false;
}

/** None, as in a browser that cannot call. */
export function createNewMatrixCall(): null {
  return null;
}
