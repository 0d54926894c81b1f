// The client of the session as it runs: begun as soon as the session is known, before anything is drawn.

import { ClientEvent, HttpApiEvent, type MatrixClient } from "matrix-js-sdk";

import { makeClient, saveWhenHidden, startClient } from "./client";
import { encryptionOf } from "./encryption/Encryption";
import { Outbox } from "./Outbox";
import type { Session } from "./session";
import { watchSync } from "./syncStatus";
import { onWaking } from "./waking";

/** A client that runs. */
export interface Running {
  readonly client: MatrixClient;
  /** Done when the rooms of the last visit are there, or it is sure that none were kept. */
  readonly recalled: Promise<void>;
  /** Tells when the server has ended the session, also if it did so before somebody asked; `soft` if the device stands. */
  readonly onEnded: (listener: (soft: boolean) => void) => void;
  readonly stop: () => void;
}

/** When, in ms, a client that woke looks for the server: at once, and when it has noticed that what it waited for is lost. */
const SOON = [0, 250, 1_000];

/** Begun early, and not taken yet. */
let begun: { readonly session: Session; readonly running: Running; recalled: boolean } | null = null;

/** Begins with a session: what the last visit left is read while the page is still being put together. Done when it is there. */
export async function begin(session: Session): Promise<void> {
  begun ??= { session, running: run(session), recalled: false };
  const early = begun;
  await early.running.recalled;
  early.recalled = true;
}

/** The client that was begun, if the rooms of the last visit are there; it is still to be taken. */
export function recalledClient(session: Session): MatrixClient | null {
  return begun?.session === session && begun.recalled ? begun.running.client : null;
}

/** The client of a session: the one that was begun, or else a new one. It is the caller's to stop. */
export function take(session: Session): Running {
  const early = begun;
  begun = null;
  if (early?.session === session) return early.running;
  early?.running.stop();
  return run(session);
}

function run(session: Session): Running {
  const client = makeClient(session);
  watchSync(client);
  const ended = new Promise<boolean>((done) => {
    client.once(HttpApiEvent.SessionLoggedOut, (refused: { data?: object }) => {
      done((refused.data as { soft_logout?: unknown } | undefined)?.soft_logout === true);
    });
  });
  const stopOutbox = new Outbox(client).start();
  const stopSaving = saveWhenHidden(client);
  const stopWaking = onWaking(() => {
    for (const late of SOON) setTimeout(() => client.retryImmediately(), late);
  });
  const recalled = new Promise<void>((done) => {
    client.once(ClientEvent.Sync, () => done());
    void startClient(client).then((kept) => {
      if (!kept) done();
    });
  });
  return {
    client,
    recalled,
    onEnded: (listener) => void ended.then(listener),
    stop: () => {
      stopOutbox();
      stopSaving();
      stopWaking();
      encryptionOf(client).stop();
      client.stopClient();
    },
  };
}
