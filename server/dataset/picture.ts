import { MAX_DECODED_PIXELS, MAX_PIXELS, sharp, WHITE } from "./decoder.js";
import { type Fingerprint, fingerprint } from "./fingerprint.js";
import { isConvertible, isTrained, type PictureFormat, readHead, sniff } from "./sniff.js";

/** What one look at a picture tells. Sizes are in pixels, after EXIF orientation. */
export type ReadablePicture = {
  ok: true;
  format: PictureFormat;
  width: number;
  height: number;
  /** EXIF orientation 1–8; 1 is upright. */
  orientation: number;
  /** At least one pixel is not opaque. */
  transparent: boolean;
  /** More than one picture in the file. */
  animated: boolean;
  fingerprint: Fingerprint;
};

/** Why a file can't be used; `reason` completes "the file …". */
export type UnreadablePicture = {
  ok: false;
  code: "not_an_image" | "truncated" | "too_large" | "unsupported_format";
  format: string;
  width: number;
  height: number;
  reason: string;
};

export type PictureFacts = ReadablePicture | UnreadablePicture;

/** 8-bit RGB pixels, alpha flattened on white, upright. */
export type Pixels = { data: Uint8Array; width: number; height: number };

// Small enough to let JPEGs be shrunk while they load, large enough for 32 × 32 means.
const LOOK = { width: 128, height: 128 } as const;

/**
 * Everything that scan and plan want to know about a picture, from one decoding. `resize` is the size in pixels to which
 * it is scaled on the way (the bucket's, when the pixels are wanted as well). Never throws for what the file holds.
 */
export async function readPicture(
  source: string | Buffer,
  resize: { width: number; height: number } = LOOK,
): Promise<{ facts: PictureFacts; pixels: Pixels | null }> {
  const refused = (facts: UnreadablePicture) => ({ facts, pixels: null });
  const head = typeof source === "string" ? headOf(source) : source;
  if (head === null) return refused({ ok: false, code: "truncated", format: "", width: 0, height: 0, reason: "can't be opened" });
  const sniffed = sniff(head);
  if (sniffed === null) return refused({ ok: false, code: "not_an_image", format: "", width: 0, height: 0, reason: "holds no picture" });
  const { format } = sniffed;
  if (!isTrained(format) && !isConvertible(format)) {
    return refused({
      ok: false,
      code: "unsupported_format",
      format,
      width: 0,
      height: 0,
      reason: `is ${nameOf(format)}, which can't be read here`,
    });
  }
  const tooLarge = (width: number, height: number) =>
    refused({ ok: false, code: "too_large", format, width, height, reason: `has ${width} × ${height} pixels` });
  if (sniffed.width * sniffed.height > MAX_DECODED_PIXELS) return tooLarge(sniffed.width, sniffed.height);
  try {
    const header = await sharp(source, { limitInputPixels: false }).metadata();
    const { width, height } = header.autoOrient;
    if (width * height > MAX_DECODED_PIXELS) return tooLarge(width, height);
    const { pixels, transparent } = await decode(source, resize, header.hasAlpha, width * height);
    const facts: ReadablePicture = {
      ok: true,
      format,
      width,
      height,
      orientation: header.orientation ?? 1,
      transparent,
      animated: (header.pages ?? 1) > 1,
      fingerprint: fingerprint(pixels.data, pixels.width, pixels.height),
    };
    return { facts, pixels };
  } catch (error) {
    const reason = `is damaged or cut off (${firstLine(error)})`;
    return refused({ ok: false, code: "truncated", format, width: sniffed.width, height: sniffed.height, reason });
  }
}

/** Options of every decoding: a cut-off file fails instead of turning grey below the cut. */
export const DECODE = { failOn: "error", limitInputPixels: MAX_DECODED_PIXELS } as const;

/** True when the picture can be decoded but has more pixels than are trained on. */
export function isOversized(facts: ReadablePicture): boolean {
  return facts.width * facts.height > MAX_PIXELS;
}

/** "a JPEG XL picture", for sentences. */
export function nameOf(format: PictureFormat): string {
  return NAMES[format];
}

const NAMES: Record<PictureFormat, string> = {
  jpeg: "a JPEG",
  png: "a PNG",
  webp: "a WebP",
  gif: "a GIF",
  tiff: "a TIFF",
  avif: "an AVIF",
  bmp: "a BMP",
  heic: "a HEIC photo",
  jxl: "a JPEG XL picture",
  jp2: "a JPEG 2000 picture",
  svg: "an SVG drawing",
  pdf: "a PDF document",
  psd: "a Photoshop document",
};

// Above this, all pixels at once would take too much memory for what the exact answer is worth in speed.
const MAX_RAW_PIXELS = 24_000_000;

type Decoded = { pixels: Pixels; transparent: boolean };

async function decode(
  source: string | Buffer,
  resize: { width: number; height: number },
  hasAlpha: boolean,
  pixelCount: number,
): Promise<Decoded> {
  const upright = () => sharp(source, DECODE).autoOrient();
  if (!hasAlpha) return { pixels: await shrink(upright(), resize), transparent: false };
  if (pixelCount > MAX_RAW_PIXELS) {
    const alpha = await upright().toColourspace("srgb").extractChannel("alpha").raw().toBuffer();
    return { pixels: await shrink(upright(), resize), transparent: alpha.some((value) => value < 255) };
  }
  const { data, info } = await upright().toColourspace("srgb").ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: 4 } as const;
  return { pixels: await shrink(sharp(data, { raw }), resize), transparent: hasTransparency(data) };
}

async function shrink(picture: ReturnType<typeof sharp>, { width, height }: { width: number; height: number }): Promise<Pixels> {
  const data = await picture.flatten({ background: WHITE }).resize(width, height, { fit: "fill" }).toColourspace("srgb").raw().toBuffer();
  return { data, width, height };
}

/** Looks at the fourth byte of each pixel; RGBA in memory order, whatever the machine's byte order. */
function hasTransparency(rgba: Buffer): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return true;
  return false;
}

/** Null for a file that may not be read. */
function headOf(file: string): Buffer | null {
  try {
    return readHead(file);
  } catch {
    // The caller says so in a sentence; the system's words add nothing.
    return null;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
