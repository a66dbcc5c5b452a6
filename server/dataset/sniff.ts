import { closeSync, openSync, readSync } from "node:fs";

/** What a file's first bytes say it is. `trained` formats are read by every trainer, `convertible` ones by us alone. */
export type PictureFormat = "jpeg" | "png" | "webp" | "gif" | "tiff" | "avif" | "bmp" | "heic" | "jxl" | "jp2" | "svg" | "pdf" | "psd";

export type Sniffed = { format: PictureFormat; width: number; height: number };

const HEAD_BYTES = 4096;

/** Formats that every trainer reads; the others are converted or refused. */
export function isTrained(format: string): boolean {
  return format === "jpeg" || format === "png" || format === "webp";
}

/** Formats that we read and Fix turns into PNG. */
export function isConvertible(format: string): boolean {
  return format === "gif" || format === "tiff" || format === "avif";
}

/** The bytes of a file that `sniff` wants to see. Read at once: three trips through the thread pool would take longer. */
export function readHead(file: string): Buffer {
  const handle = openSync(file, "r");
  try {
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    return head.subarray(0, readSync(handle, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(handle);
  }
}

/**
 * The format by magic bytes, never by name, and the size where the header holds it in the open (0 × 0 elsewhere, or when
 * the header is cut off). Null: no picture that we know of.
 */
export function sniff(head: Buffer): Sniffed | null {
  const format = formatOf(head);
  if (format === null) return null;
  const size = sizeOf(format, head);
  return { format, width: size?.[0] ?? 0, height: size?.[1] ?? 0 };
}

function formatOf(head: Buffer): PictureFormat | null {
  const text = (from: number, to: number) => head.toString("latin1", from, to);
  if (text(0, 3) === "\xff\xd8\xff") return "jpeg";
  if (text(0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return "webp";
  if (text(0, 6) === "GIF87a" || text(0, 6) === "GIF89a") return "gif";
  if (text(0, 4) === "II*\0" || text(0, 4) === "MM\0*") return "tiff";
  if (text(4, 8) === "ftyp") return brandOf(text(8, 32));
  if (text(0, 2) === "BM" && head.length > 26 && head.readUInt32LE(14) >= 12 && head.readUInt32LE(14) <= 256) return "bmp";
  if (text(0, 2) === "\xff\x0a" || text(4, 8) === "JXL ") return "jxl";
  if (text(4, 8) === "jP  ") return "jp2";
  if (text(0, 5) === "%PDF-") return "pdf";
  if (text(0, 4) === "8BPS") return "psd";
  if (/^\s*</.test(text(0, 64).replace("\xef\xbb\xbf", "")) && /<svg[\s>]/i.test(text(0, 2048))) return "svg";
  return null;
}

function brandOf(brands: string): PictureFormat | null {
  if (/avi[fs]/.test(brands)) return "avif";
  return /hei[cxms]|hev[cx]|mif1|msf1/.test(brands) ? "heic" : null;
}

function sizeOf(format: PictureFormat, head: Buffer): [number, number] | null {
  if (format === "png" && head.length >= 24) return [head.readUInt32BE(16), head.readUInt32BE(20)];
  if (format === "gif" && head.length >= 10) return [head.readUInt16LE(6), head.readUInt16LE(8)];
  if (format === "jpeg") return jpegSize(head);
  if (format === "webp" && head.length >= 30) return webpSize(head);
  return null;
}

function jpegSize(head: Buffer): [number, number] | null {
  let at = 2;
  while (at + 9 < head.length && head[at] === 0xff) {
    const marker = head.readUInt8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [head.readUInt16BE(at + 7), head.readUInt16BE(at + 5)];
    // A marker may be preceded by any number of fill bytes.
    at += marker === 0xff ? 1 : 2 + head.readUInt16BE(at + 2);
  }
  return null;
}

function webpSize(head: Buffer): [number, number] | null {
  const chunk = head.toString("latin1", 12, 16);
  if (chunk === "VP8X") return [head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1];
  if (chunk === "VP8 ") return [head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff];
  if (chunk !== "VP8L") return null;
  const bits = head.readUInt32LE(21);
  return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
}
