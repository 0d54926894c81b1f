import { afterEach, expect, test, vi } from "vitest";

import { methodsWith, SCAN, watchCamera } from "./methods";

function withDevices(...kinds: string[]) {
  const devices = new EventTarget();
  const here = kinds;
  vi.stubGlobal("navigator", {
    mediaDevices: Object.assign(devices, {
      enumerateDevices: () => Promise.resolve(here.map((kind) => ({ kind }))),
    }),
  });
  return { devices, here };
}

afterEach(() => vi.unstubAllGlobals());

test("only who has a camera says that they can scan; everybody can show a code and compare emoji", () => {
  expect(methodsWith(false)).toEqual(["m.sas.v1", "m.qr_code.show.v1", "m.reciprocate.v1"]);
  expect(methodsWith(true)).toEqual([...methodsWith(false), SCAN]);
});

test("a camera that is plugged in later is told, and no more once nobody asks", async () => {
  const { devices, here } = withDevices("audioinput");
  const told = vi.fn();
  const stop = watchCamera(told);
  await vi.waitFor(() => expect(told).toHaveBeenLastCalledWith(false));
  here.push("videoinput");
  devices.dispatchEvent(new Event("devicechange"));
  await vi.waitFor(() => expect(told).toHaveBeenLastCalledWith(true));
  stop();
  devices.dispatchEvent(new Event("devicechange"));
  await Promise.resolve();
  expect(told).toHaveBeenCalledTimes(2);
});

test("a page without https has no devices to ask about, and no camera", async () => {
  vi.stubGlobal("navigator", {});
  const told = vi.fn();
  watchCamera(told);
  await vi.waitFor(() => expect(told).toHaveBeenCalledWith(false));
});
