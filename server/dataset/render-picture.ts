import { MAX_PIXELS, sharp, WHITE } from "./decoder.js";
import { DECODE, type ReadablePicture } from "./picture.js";
import { MAX_RATIO } from "./picture-problems.js";

/** What Fix does to a picture's pixels; done in this order. */
export type PictureChanges = {
  /** Turn by the EXIF mark. */
  upright: boolean;
  /** Scale down to MAX_PIXELS. */
  shrink: boolean;
  /** Fill transparency with white. */
  flatten: boolean;
  /** Cut to 3:1 around the most eye-catching part. */
  crop: boolean;
  /** Save as PNG. */
  toPng: boolean;
};

/**
 * The changed picture as a file, in its old format unless `toPng`. JPEGs are saved with hardly visible loss (quality 95, full colour), PNG
 * and WebP without any. A picture that is changed at all is also turned upright, because the mark is not kept.
 */
export async function renderPicture(file: string, facts: ReadablePicture, changes: PictureChanges): Promise<Buffer> {
  const size = sizeAfter(facts, { ...changes, crop: false });
  let picture = sharp(file, DECODE).autoOrient();
  if (changes.flatten) picture = picture.flatten({ background: WHITE });
  if (changes.shrink) picture = picture.resize(size.width, size.height, { fit: "fill" });
  if (!changes.crop) return await encode(picture, facts, changes);
  const { data, info } = await picture.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const cropped = sizeAfter(facts, changes);
  // As large on the short side as before, so that "cover" only cuts and scales nothing.
  const cut = sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } }).resize(
    cropped.width,
    cropped.height,
    { fit: "cover", position: sharp.strategy.attention },
  );
  return await encode(cut, facts, changes);
}

/** Size in pixels after the changes. */
export function sizeAfter({ width, height }: ReadablePicture, { shrink, crop }: PictureChanges): { width: number; height: number } {
  const scale = shrink ? Math.sqrt(MAX_PIXELS / (width * height)) : 1;
  const scaled = { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
  if (!crop) return scaled;
  return { width: Math.min(scaled.width, MAX_RATIO * scaled.height), height: Math.min(scaled.height, MAX_RATIO * scaled.width) };
}

async function encode(picture: ReturnType<typeof sharp>, { format }: ReadablePicture, { toPng }: PictureChanges): Promise<Buffer> {
  const srgb = picture.toColourspace("srgb");
  if (!toPng && format === "jpeg") return await srgb.jpeg({ quality: 95, chromaSubsampling: "4:4:4" }).toBuffer();
  if (!toPng && format === "webp") return await srgb.webp({ lossless: true }).toBuffer();
  return await srgb.png().toBuffer();
}
