// The camera, and why there is none.

export type CameraTrouble = "refused" | "none" | "busy" | "insecure" | "failed";

/** Turns the camera on: the one that looks away from the person, where there are two. */
export async function openCamera(): Promise<MediaStream> {
  const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
  if (!mediaDevices) throw new InsecurePage();
  return mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
  });
}

export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** Whether it looks at the person, who then expects a mirror. */
export function looksBack(stream: MediaStream): boolean {
  return stream.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
}

/** Browsers give the camera to pages with https only. */
class InsecurePage extends Error {}

/** What a refusal of the browser means: https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia */
export function troubleOf(refused: unknown): CameraTrouble {
  if (refused instanceof InsecurePage) return "insecure";
  switch ((refused as { name?: string }).name) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
      return "busy";
    default:
      return "failed";
  }
}
