// How this device can verify, as it tells the other side. Light: belongs to the first chat.

/** The other side has a camera to scan a code with. */
export const SCAN = "m.qr_code.scan.v1";
/** The other side has a code to show. */
export const SHOW = "m.qr_code.show.v1";
export const SAS = "m.sas.v1";

/** Emoji and showing a code need nothing. Who says that they can scan is shown a code, so only who has a camera says it. */
export function methodsWith(camera: boolean): string[] {
  return [SAS, SHOW, "m.reciprocate.v1", ...(camera ? [SCAN] : [])];
}

/** What a page without https does not have, whatever the types say. */
function devices(): MediaDevices | undefined {
  return (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
}

/** Whether there is a camera. Nobody is asked for it. */
async function hasCamera(): Promise<boolean> {
  try {
    return (await devices()?.enumerateDevices())?.some(({ kind }) => kind === "videoinput") ?? false;
  } catch {
    return false;
  }
}

/** Tells whether there is a camera, now and when one comes or goes; until it is told no more. */
export function watchCamera(tell: (there: boolean) => void): () => void {
  let over = false;
  const look = () => void hasCamera().then((there) => over || tell(there));
  look();
  devices()?.addEventListener("devicechange", look);
  return () => {
    over = true;
    devices()?.removeEventListener("devicechange", look);
  };
}
