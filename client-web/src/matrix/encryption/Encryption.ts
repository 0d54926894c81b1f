// End-to-end encryption of a session: loaded when something needs it, and never before.
/*
 * Keys and ciphers are the SDK's Rust crypto, eight megabytes of WebAssembly that most visits can do without. What needs it: an
 * encrypted room (also an invitation to one), a message for this device, somebody who looks at the devices. Until then this class
 * stands between the sync and the crypto that is not there, and lets nothing be lost: what is for the device waits for the keys.
 * A device that never had an encrypted room publishes its keys once, in a quiet moment, so that others can write to it.
 */

import {
  ClientEvent,
  RoomMemberEvent,
  RoomStateEvent,
  type IToDeviceEvent,
  type MatrixClient,
  type MatrixEvent,
  type Room,
} from "matrix-js-sdk";
import type {
  CryptoBackend,
  OnSyncCompletedData,
  SyncCryptoCallbacks,
  SyncCryptoChanges,
} from "matrix-js-sdk/lib/common-crypto/CryptoBackend";
import type { CryptoApi, VerificationRequest } from "matrix-js-sdk/lib/crypto-api";

import { Signals } from "../signals";
import { storeKey } from "../vault";
import { methodsWith, watchCamera } from "./methods";
import { Ownership } from "./ownership";

/** Where the keys are: not needed yet, on their way, here, in another tab, or not to be had. */
export type EncryptionState = "asleep" | "loading" | "here" | "elsewhere" | "failed";

/** What the SDK keeps to itself: it has no way to begin encryption late, or to end it. */
interface Inside {
  cryptoBackend: CryptoBackend | undefined;
  encryptEventIfNeeded: (event: MatrixEvent, room?: Room) => Promise<void>;
}

/** What the SDK's crypto has beyond what it promises. */
interface Methods {
  setSupportedVerificationMethods?: (methods: string[]) => void;
}

type Received = Awaited<ReturnType<SyncCryptoCallbacks["processSyncChanges"]>>;

/** Fewer one-time keys than this on the server, and it is time to make new ones. */
const FEW_KEYS = 20;
/** How long a device without keys waits before it makes some, in a quiet moment. */
const PUBLISH_AFTER = 3 * 60_000;
const RETRY_AFTER = 15_000;

/** Names of the SDK's CryptoEvent, which belongs to a part that is loaded later. */
const TRUST = [
  "userTrustStatusChanged",
  "crossSigning.keysChanged",
  "crypto.devicesUpdated",
  "crypto.keyBackupStatus",
] as const;

/** What a device has done so far: made keys, or used them in rooms. */
type Mark = "published" | "in use";

const all = new WeakMap<MatrixClient, Encryption>();

/** How often it is looked whether a device that asks is known by now. */
const LOOKS = 4;

/** The name of everything that belongs to the keys of a device. */
export function storeName(client: MatrixClient): string {
  return `orvale-keys:${client.getSafeUserId()}:${client.getDeviceId() ?? ""}`;
}

/** Stops two tabs from answering the same message: each has one mark. */
function markOf(event: IToDeviceEvent): string {
  const text = JSON.stringify(event.content);
  return `${event.type} ${String(text.length)} ${text.slice(0, 200)} ${text.slice(-200)}`;
}

/** Whether a message to the device is for the crypto. */
function isForKeys(event: IToDeviceEvent): boolean {
  return /^m\.(room\.encrypted|room_key|forwarded_room_key|secret\.|key\.verification\.|dummy)/.test(
    event.type,
  );
}

/** Of two windows side by side, the one that is written in. */
function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** Stands between a client and its crypto. */
export class Encryption implements SyncCryptoCallbacks {
  private readonly client: MatrixClient;
  private readonly signals = new Signals();
  private readonly ownership: Ownership;
  private readonly seen = new Set<string>();
  /** Messages to the device that came while the keys were on their way. */
  private held: IToDeviceEvent[] = [];
  private loading: Promise<void> | null = null;
  private needed = false;
  private stopped = false;
  private timers = new Set<ReturnType<typeof setTimeout>>();
  private ours: Array<() => void> = [];
  private state: EncryptionState = "asleep";
  private asked: VerificationRequest | null = null;
  /** Requests to verify that came while another was dealt with. */
  private queue: VerificationRequest[] = [];
  private trust = 0;
  /** Something that would break if the keys went to another tab now. */
  busy = false;
  /** Whether there is a camera to scan a code with, and others are told so. */
  scans = false;
  /** Messages on their way: the keys stay until these are encrypted. */
  private readonly encrypting = new Set<Promise<void>>();
  private readonly deviceListeners = new Set<(userIds: readonly string[]) => void>();

  constructor(client: MatrixClient) {
    this.client = client;
    all.set(client, this);
    this.ownership = new Ownership(storeName(client));
    this.ownership.onAsked = (looking) => this.giveAway(looking);
    this.ownership.onNews = (news) => void this.passedOn(news as IToDeviceEvent[]);
    this.ownership.onDone = (marks) => marks.forEach((mark) => this.remember(mark));
    this.standBetween();
  }

  /** Where the keys are. */
  readonly get = (): EncryptionState => this.state;
  /** A request to verify that nobody has dealt with yet. */
  readonly getAsked = (): VerificationRequest | null => this.asked;
  /** Grows whenever somebody or something may have become verified, or no longer is. */
  readonly getTrust = (): number => this.trust;
  readonly subscribe = (listener: () => void): (() => void) => this.signals.subscribe("state", listener);

  /** Shows a request to verify, of others or one's own. */
  show(request: VerificationRequest | null): void {
    this.asked = request;
    this.busy = request !== null;
    this.signals.notify("state");
  }

  /** A request is over: the next that still waits for an answer takes its place. */
  dealtWith(request: VerificationRequest): void {
    if (this.asked !== request) return;
    this.queue = this.queue.filter(({ pending }) => pending);
    this.show(this.queue.shift() ?? null);
  }

  /** Waits until the keys are here. Fails as a lost connection does, so that what waits for it is tried again. */
  async need(): Promise<CryptoApi> {
    this.needed = true;
    await this.load();
    const crypto = this.client.getCrypto();
    if (!crypto) throw new TypeError("The keys could not be loaded");
    return crypto;
  }

  private get backend(): CryptoBackend | undefined {
    return (this.client as unknown as Inside).cryptoBackend;
  }

  private become(state: EncryptionState): void {
    if (this.state === state) return;
    this.state = state;
    this.signals.notify("state");
  }

  /** Lets the client's sync and its sending go through here. */
  private standBetween(): void {
    const { client } = this;
    const options = client["buildSyncApiOptions"].bind(client);
    client["buildSyncApiOptions"] = () => ({ ...options(), cryptoCallbacks: this });
    const inside = client as unknown as Inside;
    const encrypt = inside.encryptEventIfNeeded.bind(client);
    inside.encryptEventIfNeeded = async (event: MatrixEvent, room?: Room) => {
      const open = event.isEncrypted() || event.isRedaction() || event.getType() === "m.reaction";
      if (!room?.hasEncryptionStateEvent() || open) return encrypt(event, room);
      await this.need();
      const encrypted = encrypt(event, room);
      this.encrypting.add(encrypted);
      await encrypted.finally(() => this.encrypting.delete(encrypted));
    };
    client.on(RoomStateEvent.Events, (event: MatrixEvent) => {
      if (event.getType() === "m.room.encryption" && event.getStateKey() === "") this.wake();
    });
    client.on(ClientEvent.Sync, (state: string, _before: string | null, data?: { fromCache?: boolean }) => {
      if (state === "PREPARED" && !data?.fromCache && this.mark() === null) this.publishLater();
    });
    document.addEventListener("visibilitychange", this.onLook);
    window.addEventListener("focus", this.onLook);
  }

  /** Whoever comes back to this tab uses its rooms: the keys follow. */
  private readonly onLook = () => {
    if (this.needed && !this.backend && document.visibilityState === "visible") this.wake();
  };

  /** Begins to load without waiting for it. */
  wake(): void {
    this.needed = true;
    if (!this.stopped) this.load().catch(() => undefined);
  }

  private mark(): Mark | null {
    try {
      const mark = localStorage.getItem(storeName(this.client));
      return mark === "published" || mark === "in use" ? mark : null;
    } catch {
      return null;
    }
  }

  /** Whether this device has keys of messages. */
  holdsKeys(): boolean {
    return this.mark() === "in use";
  }

  private setMark(mark: Mark): void {
    try {
      localStorage.setItem(storeName(this.client), mark);
    } catch {
      // Without storage the keys end with the page, and so does what is known of them.
    }
  }

  private publishLater(): void {
    this.later(() => {
      const idle = (globalThis as { requestIdleCallback?: (act: () => void) => void }).requestIdleCallback;
      (idle ?? ((act: () => void) => act()))(() => {
        if (!this.backend && !this.stopped) this.load().catch(() => undefined);
      });
    }, PUBLISH_AFTER);
  }

  private later(act: () => void, after: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, after);
    this.timers.add(timer);
  }

  private load(): Promise<void> {
    // Until the end: the crypto is there before it knows which rooms are encrypted.
    if (this.loading) {
      void this.ownership.take(isLookedAt).catch(() => undefined);
      return this.loading;
    }
    if (this.backend || this.stopped) return Promise.resolve();
    this.become("loading");
    const slow = setTimeout(() => {
      if (!this.ownership.held) this.become("elsewhere");
    }, 1_500);
    const loading = this.begin()
      .then(() => this.become("here"))
      .catch((error: unknown) => {
        this.ownership.release();
        this.become("failed");
        this.later(() => {
          if (this.needed) this.wake();
        }, RETRY_AFTER);
        throw new TypeError("The keys could not be loaded", { cause: error });
      })
      .finally(() => {
        clearTimeout(slow);
        this.loading = null;
      });
    this.loading = loading;
    return loading;
  }

  private async begin(): Promise<void> {
    const { client } = this;
    await this.ownership.take(isLookedAt);
    this.become("loading");
    const before = this.mark();
    const key = await storeKey();
    const events = [RoomMemberEvent.Membership, RoomStateEvent.Events, ClientEvent.Event] as const;
    const known = new Map(events.map((name) => [name, new Set<unknown>(client.listeners(name))]));
    await client.initRustCrypto({
      cryptoDatabasePrefix: storeName(client),
      useIndexedDB: key !== undefined || before !== null,
      ...(key ? { storageKey: key } : {}),
    });
    const backend = this.backend;
    if (!backend) throw new Error("The client was stopped meanwhile");
    // The SDK adds listeners that it never takes away; they go when the keys do.
    this.ours = events.flatMap((name) =>
      client
        .listeners(name)
        .filter((listener) => !known.get(name)?.has(listener))
        .map((listener) => () => void client.off(name, listener as never)),
    );
    this.ours.push(
      watchCamera((there) => {
        this.scans = there;
        (backend as Methods).setSupportedVerificationMethods?.(methodsWith(there));
      }),
    );
    client.on("crypto.verificationRequestReceived" as never, this.onRequest as never);
    client.on("crypto.devicesUpdated" as never, this.tellDevices as never);
    for (const news of TRUST) client.on(news as never, this.onTrust as never);
    const rooms = client.getRooms().filter((room) => room.hasEncryptionStateEvent());
    for (const room of rooms) {
      const event = room.currentState.getStateEvents("m.room.encryption", "");
      if (event) await backend.onCryptoEvent(room, event).catch(() => undefined);
    }
    if (before === "published") await backend.markAllTrackedUsersAsDirty();
    this.setMark(rooms.length > 0 || before === "in use" ? "in use" : "published");
    if (this.held.length > 0) {
      const held = this.held.splice(0);
      await this.process(backend, { toDeviceEvents: held, useMsc4186: true });
    }
    backend.onSyncCompleted({});
    this.decryptAll();
  }

  /** Tries to read an event that could not be read. */
  async decrypt(event: MatrixEvent): Promise<void> {
    if (this.backend) await event.attemptDecryption(this.backend, { isRetry: true });
  }

  /** Tries to read everything that could not be read: keys have come in. */
  decryptAll(): void {
    for (const room of this.client.getRooms())
      if (room.hasEncryptionStateEvent()) void room.decryptAllEvents();
  }

  private readonly onRequest = (request: VerificationRequest) => {
    const { asked } = this;
    // Who tries once more is not kept waiting by what is left of the time before.
    const again = asked?.cancellationCode && asked.otherUserId === request.otherUserId;
    if (asked && !again) this.queue.push(request);
    else this.show(request);
  };

  private readonly onTrust = () => {
    this.trust += 1;
    this.signals.notifySoon("state");
  };

  private readonly tellDevices = (userIds: readonly string[]) => {
    for (const listener of this.deviceListeners) listener(userIds);
  };

  /** Tells whose devices have changed, with or without keys. */
  onDevices(listener: (userIds: readonly string[]) => void): () => void {
    this.deviceListeners.add(listener);
    return () => this.deviceListeners.delete(listener);
  }

  private remember(mark: string): void {
    this.seen.add(mark);
    if (this.seen.size <= 1_000) return;
    for (const old of this.seen) {
      this.seen.delete(old);
      if (this.seen.size <= 800) break;
    }
  }

  /** What another tab received for the tab with the keys. */
  private async passedOn(events: readonly IToDeviceEvent[]): Promise<void> {
    // The counts of one-time keys stand in the other tab's answer; here they are as they were.
    if (this.backend) await this.process(this.backend, { toDeviceEvents: [...events], useMsc4186: true });
  }

  private async process(backend: CryptoBackend, changes: SyncCryptoChanges): Promise<Received> {
    const fresh = changes.toDeviceEvents.filter(
      (event) => !isForKeys(event) || !this.seen.has(markOf(event)),
    );
    const marks = fresh.filter(isForKeys).map(markOf);
    marks.forEach((mark) => this.remember(mark));
    if (marks.length > 0) this.ownership.done(marks);
    await this.knowDevicesOf(backend, fresh);
    return backend.processSyncChanges({ ...changes, toDeviceEvents: fresh });
  }

  /**
   * A request to verify of a device that is not known is dropped by the crypto. One's own newest device may ask before anybody has looked
   * at it: its keys are fetched first.
   */
  private async knowDevicesOf(backend: CryptoBackend, events: readonly IToDeviceEvent[]): Promise<void> {
    const me = this.client.getSafeUserId();
    for (const { type, sender, content } of events) {
      if (type !== "m.key.verification.request" || sender !== me) continue;
      const device: unknown = content["from_device"];
      for (let tries = 0; tries < LOOKS && typeof device === "string"; tries += 1) {
        // Each look waits a second for an answer that is on its way.
        const known = await backend.getUserDeviceInfo([me]);
        if (known.get(me)?.has(device)) break;
        if (tries === 0) await backend.markAllTrackedUsersAsDirty();
        backend.onSyncCompleted({});
      }
    }
  }

  /** Whether this answer of the server is a reason to load. */
  private calls(changes: SyncCryptoChanges): boolean {
    const mark = this.mark();
    if (mark === "in use" || this.needed || changes.toDeviceEvents.some(isForKeys)) return true;
    return mark === "published" && (changes.oneTimeKeysCounts?.["signed_curve25519"] ?? 0) < FEW_KEYS;
  }

  async processSyncChanges(changes: SyncCryptoChanges): Promise<Received> {
    if (changes.deviceLists?.changed?.includes(this.client.getSafeUserId()))
      this.tellDevices([this.client.getSafeUserId()]);
    const plain = (events: readonly IToDeviceEvent[]) =>
      events
        .filter((event) => !isForKeys(event))
        .map((message) => ({ message, encryptionInfo: null })) as unknown as Received;
    if (!this.backend) {
      if (!this.calls(changes)) return plain(changes.toDeviceEvents);
      this.needed = true;
      this.load().catch(() => undefined);
      // Keys in another tab may stay there for long; the rooms do not wait for them.
      const here = this.loading?.then(
        () => true,
        () => false,
      );
      const elsewhere = new Promise<false>((done) => {
        const check = () => {
          if (this.state === "elsewhere" || this.state === "failed") done(false);
        };
        check();
        const stop = this.subscribe(check);
        void here?.then(stop);
      });
      await Promise.race([here, elsewhere]);
    }
    const { backend } = this;
    if (backend) return this.process(backend, changes);
    const forKeys = changes.toDeviceEvents.filter(isForKeys);
    if (this.state === "elsewhere") this.ownership.pass(forKeys);
    else this.held.push(...forKeys);
    return plain(changes.toDeviceEvents);
  }

  async onCryptoEvent(room: Room, event: MatrixEvent): Promise<void> {
    if (this.backend) {
      this.setMark("in use");
      await this.backend.onCryptoEvent(room, event);
    } else this.wake();
  }

  onSyncCompleted(data: OnSyncCompletedData): void {
    this.backend?.onSyncCompleted(data);
  }

  async markAllTrackedUsersAsDirty(): Promise<void> {
    await this.backend?.markAllTrackedUsersAsDirty();
  }

  /** Puts the keys away for another tab. */
  private async giveAway(looking: boolean): Promise<boolean> {
    const may = () => !this.busy && this.backend !== undefined && (looking || !isLookedAt());
    if (!may()) return false;
    while (this.encrypting.size > 0) await Promise.allSettled(this.encrypting);
    if (!may()) return false;
    this.putAway();
    this.become("elsewhere");
    // Time for what was on its way to the store.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return true;
  }

  private putAway(): void {
    const { backend, client } = this;
    client.off("crypto.verificationRequestReceived" as never, this.onRequest as never);
    client.off("crypto.devicesUpdated" as never, this.tellDevices as never);
    for (const news of TRUST) client.off(news as never, this.onTrust as never);
    this.ours.splice(0).forEach((stop) => stop());
    (client as unknown as Inside).cryptoBackend = undefined;
    backend?.stop();
  }

  /** Ends it: the page is left, or the session is over. */
  stop(): void {
    this.stopped = true;
    this.timers.forEach((timer) => clearTimeout(timer));
    document.removeEventListener("visibilitychange", this.onLook);
    window.removeEventListener("focus", this.onLook);
    this.putAway();
    this.ownership.close();
  }

  /** Forgets that this device ever had keys. */
  forget(): void {
    try {
      localStorage.removeItem(storeName(this.client));
    } catch {
      // Nothing was kept.
    }
  }
}

/** The encryption of a client. */
export function encryptionOf(client: MatrixClient): Encryption {
  return all.get(client) ?? new Encryption(client);
}
