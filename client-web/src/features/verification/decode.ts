// Finds a code in a picture. Loaded when scanning begins.
// A browser's own BarcodeDetector answers with text, in which bytes that are no text are lost; so the code is read here.

import { decodeQR } from "qr/decode.js";

import { textOf } from "../../matrix/encryption/qrCode";

/** Wide enough for the squares of a code that fills a third of the picture, and small enough to look at ten of them a second. */
const WIDEST = 1_024;
/** So long, in ms, a picture is looked at. */
const PATIENCE = 50;

export type Reader = (video: HTMLVideoElement) => string | null;

/** Reads the code in what a video shows just now, a character for each byte. */
export function makeReader(): Reader {
  const canvas = document.createElement("canvas");
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  return (video) => {
    const { videoWidth, videoHeight } = video;
    if (!paint || videoWidth === 0) return null;
    const scale = Math.min(1, WIDEST / Math.max(videoWidth, videoHeight));
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    paint.drawImage(video, 0, 0, canvas.width, canvas.height);
    return read(paint.getImageData(0, 0, canvas.width, canvas.height));
  };
}

/** The code in a picture, a character for each byte, or null. */
export function read(picture: Pick<ImageData, "width" | "height" | "data">): string | null {
  const { width, height, data } = picture;
  try {
    return decodeQR({ width, height, data }, { format: "RGBA", textDecoder: textOf, timeLimit: PATIENCE });
  } catch {
    return null;
  }
}
