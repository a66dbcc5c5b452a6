import sharp from "sharp";

/** RGB pixels, row by row, three bytes each. */
export type Picture = { width: number; height: number; data: Uint8Array };

/** Reads an image file; transparent parts become white. With a size it is scaled to cover it and cropped in the middle. */
export async function readPicture(file: string, size?: { width: number; height: number }): Promise<Picture> {
  const image = sharp(file, { failOn: "error" }).rotate();
  const sized = size ? image.resize(size.width, size.height, { fit: "cover" }) : image;
  const { data, info } = await sized
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels === 3) return { width: info.width, height: info.height, data };
  return { width: info.width, height: info.height, data: fromGrey(data, info.channels) };
}

/** A part of a picture; the rectangle must lie inside it. */
export function cropPicture(picture: Picture, box: { left: number; top: number; width: number; height: number }): Picture {
  const data = new Uint8Array(box.width * box.height * 3);
  for (let row = 0; row < box.height; row++) {
    const from = ((box.top + row) * picture.width + box.left) * 3;
    data.set(picture.data.subarray(from, from + box.width * 3), row * box.width * 3);
  }
  return { width: box.width, height: box.height, data };
}

/** The picture as in a mirror. */
export function flipPicture(picture: Picture): Picture {
  const { width, height } = picture;
  const data = new Uint8Array(picture.data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * 3;
      data.set(picture.data.subarray(from, from + 3), (row * width + width - 1 - column) * 3);
    }
  }
  return { width, height, data };
}

function fromGrey(grey: Uint8Array, channels: number): Uint8Array {
  const data = new Uint8Array((grey.length / channels) * 3);
  for (let at = 0, pixel = 0; at < grey.length; at += channels, pixel += 3) data.fill(grey[at] ?? 0, pixel, pixel + 3);
  return data;
}
