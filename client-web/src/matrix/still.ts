// Pictures that move, and how they are made to stand still where nobody asked them to move.

/** Whether a picture is a film: a GIF, an animated WebP or PNG. */
export async function moves(picture: Blob): Promise<boolean> {
  if (picture.type === "image/gif") return true;
  if (picture.type !== "image/webp" && picture.type !== "image/png") return false;
  const head = new TextDecoder("latin1").decode(await picture.slice(0, HEAD).arrayBuffer());
  // https://developers.google.com/speed/webp/docs/riff_container#extended_file_format
  if (picture.type === "image/webp") return head.startsWith("VP8X", 12) && (head.charCodeAt(20) & 0x02) !== 0;
  // https://www.w3.org/TR/png-3/#acTL-chunk: before the picture itself.
  const control = head.indexOf("acTL");
  return control >= 0 && (!head.includes("IDAT") || control < head.indexOf("IDAT"));
}

/** How much of a file tells whether it moves, in bytes. */
const HEAD = 1024;

/** The first frame of what moves; anything else as it is. */
export async function stopped(picture: Blob): Promise<Blob> {
  if (!(await moves(picture))) return picture;
  const first = await createImageBitmap(picture);
  const canvas = document.createElement("canvas");
  canvas.width = first.width;
  canvas.height = first.height;
  canvas.getContext("2d")?.drawImage(first, 0, 0);
  first.close();
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => {
      if (blob) done(blob);
      else fail(new Error("The picture cannot be drawn"));
    }, "image/png");
  });
}
