import { expect, test, vi } from "vitest";

import { World } from "../../testing/world";
import { viewOf } from "../events";
import { encryptionOf } from "./Encryption";
import type { Ownership } from "./ownership";

function begin() {
  const world = new World();
  const encryption = encryptionOf(world.client);
  const load = vi.spyOn(world.client, "initRustCrypto").mockRejectedValue(new TypeError("no network"));
  return { world, encryption, load };
}

const nothing = { toDeviceEvents: [], oneTimeKeysCounts: {} };

test("a session without encryption loads none of it, whatever the server says", async () => {
  const { world, encryption, load } = begin();
  world.room("!plain:example.org");
  await encryption.processSyncChanges(nothing);
  await encryption.processSyncChanges({
    toDeviceEvents: [{ type: "org.example.hello", sender: "@ben:example.org", content: {} }],
  });
  expect(load).not.toHaveBeenCalled();
  expect(encryption.get()).toBe("asleep");
  encryption.stop();
});

test("an encrypted room wakes it", async () => {
  const { world, encryption, load } = begin();
  const room = world.room("!secret:example.org");
  room.currentState.setStateEvents([
    world.event(room.roomId, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" }, { state_key: "" }),
  ]);
  const state = room.currentState.getStateEvents("m.room.encryption", "");
  (world.client as unknown as { emit: (name: string, event: unknown) => void }).emit(
    "RoomState.events",
    state,
  );
  await vi.waitFor(() => expect(load).toHaveBeenCalledTimes(1));
  encryption.stop();
});

test("a message for the keys wakes it, and is kept until they are there", async () => {
  const { world, encryption, load } = begin();
  const secret = { type: "m.room.encrypted", sender: "@ben:example.org", content: { ciphertext: "x" } };
  const hello = { type: "org.example.hello", sender: "@ben:example.org", content: {} };
  const told = await encryption.processSyncChanges({ toDeviceEvents: [secret, hello] });
  expect(told.map(({ message }) => message.type)).toEqual(["org.example.hello"]);
  expect(encryption.get()).toBe("failed");

  const given: unknown[] = [];
  load.mockImplementation(() => {
    (world.client as unknown as { cryptoBackend: object }).cryptoBackend = {
      processSyncChanges: ({ toDeviceEvents }: { toDeviceEvents: unknown[] }) => {
        given.push(...toDeviceEvents);
        return Promise.resolve([]);
      },
      onSyncCompleted: () => undefined,
      markAllTrackedUsersAsDirty: () => Promise.resolve(),
      stop: () => undefined,
    };
    return Promise.resolve();
  });
  await encryption.need();
  expect(given).toEqual([secret]);
  // The same message by way of another tab is not taken twice.
  await encryption.processSyncChanges({ toDeviceEvents: [secret] });
  expect(given).toEqual([secret]);
  encryption.stop();
  localStorage.clear();
});

test("who needs the keys waits until they know which rooms are encrypted", async () => {
  const { world, encryption, load } = begin();
  const room = world.room("!secret:example.org");
  room.currentState.setStateEvents([
    world.event(room.roomId, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" }, { state_key: "" }),
  ]);
  let known: () => void = () => undefined;
  const onCryptoEvent = vi.fn(() => new Promise<void>((done) => (known = done)));
  load.mockImplementation(() => {
    (world.client as unknown as { cryptoBackend: object }).cryptoBackend = {
      onCryptoEvent,
      onSyncCompleted: () => undefined,
      stop: () => undefined,
    };
    return Promise.resolve();
  });
  encryption.wake();
  await vi.waitFor(() => expect(onCryptoEvent).toHaveBeenCalled());
  const ready = vi.fn();
  const needed = encryption.need().then(ready);
  await new Promise((turn) => setTimeout(turn, 0));
  expect(ready).not.toHaveBeenCalled();
  known();
  await needed;
  expect(ready).toHaveBeenCalledOnce();
  encryption.stop();
  localStorage.clear();
});

test("the newest device of one's own is known before its request to verify is taken in", async () => {
  const { world, encryption } = begin();
  const order: string[] = [];
  let looked = 0;
  (world.client as unknown as { cryptoBackend: object }).cryptoBackend = {
    processSyncChanges: () => {
      order.push("request");
      return Promise.resolve([]);
    },
    getUserDeviceInfo: () => {
      looked += 1;
      return Promise.resolve(new Map([[world.me, new Map(looked > 1 ? [["NEW", {}]] : [])]]));
    },
    onSyncCompleted: () => order.push("fetch"),
    markAllTrackedUsersAsDirty: () => Promise.resolve(),
    stop: () => undefined,
  };
  const ask = (sender: string) => ({
    type: "m.key.verification.request",
    sender,
    content: { from_device: "NEW", transaction_id: sender },
  });
  await encryption.processSyncChanges({ toDeviceEvents: [ask(world.me)] });
  expect(order).toEqual(["fetch", "request"]);
  // Nobody else makes anybody wait.
  await encryption.processSyncChanges({ toDeviceEvents: [ask("@ben:example.org")] });
  expect(looked).toBe(2);
  encryption.stop();
  localStorage.clear();
});

test("another tab gets the keys when the message that is just being encrypted is, not before", async () => {
  const { world, encryption } = begin();
  const room = world.room("!secret:example.org");
  vi.spyOn(room, "hasEncryptionStateEvent").mockReturnValue(true);
  const order: string[] = [];
  let begun = false;
  let encrypted: () => void = () => undefined;
  (world.client as unknown as { cryptoBackend: object }).cryptoBackend = {
    encryptEvent: () =>
      new Promise<void>((done) => {
        begun = true;
        encrypted = done;
      }).then(() => order.push("encrypted")),
    stop: () => order.push("stopped"),
  };
  vi.spyOn(world.client, "getCrypto").mockReturnValue({} as never);
  const echoes = world.client as unknown as { updatePendingEventStatus: () => void };
  vi.spyOn(echoes, "updatePendingEventStatus").mockReturnValue(undefined);
  const inside = world.client as unknown as {
    encryptEventIfNeeded: (event: unknown, room: unknown) => Promise<void>;
  };
  const event = world.event(room.roomId, "m.room.message", { msgtype: "m.text", body: "on its way" });
  const sent = inside.encryptEventIfNeeded(event, room);
  await vi.waitFor(() => expect(begun).toBe(true));
  const ownership = (encryption as unknown as { ownership: Ownership }).ownership;
  const given = ownership.onAsked(true);
  await Promise.resolve();
  expect(order).toEqual([]);
  encrypted();
  await sent;
  expect(await given).toBe(true);
  expect(order).toEqual(["encrypted", "stopped"]);
  encryption.stop();
});

test("what cannot be loaded is a connection that failed: messages wait for it", async () => {
  const { encryption } = begin();
  await expect(encryption.need()).rejects.toBeInstanceOf(TypeError);
  encryption.stop();
});

test("a message that cannot be read says why", () => {
  const { world, encryption } = begin();
  const room = world.room("!secret:example.org");
  const event = world.event(room.roomId, "m.room.encrypted", { algorithm: "m.megolm.v1.aes-sha2" });
  const why = (reason: string | null) => {
    vi.spyOn(event, "decryptionFailureReason", "get").mockReturnValue(reason as never);
    return viewOf(world.client, event).lock;
  };
  expect(why(null)).toBe("waiting");
  expect(why("MEGOLM_UNKNOWN_INBOUND_SESSION_ID")).toBe("no-key");
  expect(why("HISTORICAL_MESSAGE_NO_KEY_BACKUP")).toBe("before-device");
  // The backup is open already: the recovery key would bring nothing more.
  expect(why("HISTORICAL_MESSAGE_WORKING_BACKUP")).toBe("not-in-backup");
  expect(why("HISTORICAL_MESSAGE_USER_NOT_JOINED")).toBe("before-joining");
  expect(why("MEGOLM_KEY_WITHHELD")).toBe("withheld");
  expect(why("UNSIGNED_SENDER_DEVICE")).toBe("distrusted");
  encryption.stop();
});

test("others are told that this device can scan as long as there is a camera", async () => {
  const { world, encryption, load } = begin();
  const devices = new EventTarget();
  const here: Array<{ kind: string }> = [];
  Object.defineProperty(navigator, "mediaDevices", {
    configurable: true,
    value: Object.assign(devices, { enumerateDevices: () => Promise.resolve(here) }),
  });
  const told = vi.fn();
  load.mockImplementation(() => {
    (world.client as unknown as { cryptoBackend: object }).cryptoBackend = {
      setSupportedVerificationMethods: told,
      onSyncCompleted: () => undefined,
      stop: () => undefined,
    };
    return Promise.resolve();
  });
  await encryption.need();
  const without = ["m.sas.v1", "m.qr_code.show.v1", "m.reciprocate.v1"];
  await vi.waitFor(() => expect(told).toHaveBeenLastCalledWith(without));
  expect(encryption.scans).toBe(false);
  here.push({ kind: "videoinput" });
  devices.dispatchEvent(new Event("devicechange"));
  await vi.waitFor(() => expect(told).toHaveBeenLastCalledWith([...without, "m.qr_code.scan.v1"]));
  expect(encryption.scans).toBe(true);
  encryption.stop();
  Reflect.deleteProperty(navigator, "mediaDevices");
  localStorage.clear();
});
