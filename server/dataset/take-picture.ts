import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { Post } from "../../protocol/post.js";
import { MAX_DECODED_PIXELS, sharp } from "./decoder.js";
import type { PlacedPicture } from "./import-layout.js";
import { DECODE, nameOf } from "./picture.js";
import { isConvertible, isTrained, readHead, type Sniffed, sniff } from "./sniff.js";

/** `reason` is null for a picture that was taken over, else the sentence why it stays behind. */
export type TakenPicture = { reason: string | null; hasCaption: boolean };

const EXTENSIONS: Partial<Record<Sniffed["format"], string>> = { jpeg: ".jpg", png: ".png", webp: ".webp" };

/** What is to stand beside a picture where its own caption file does not say it. */
export type Beside = { caption: string | null; post: Post | null };

/** Copies a picture and its caption below `root`, named for what the picture is; a format that trainers don't read becomes PNG. */
export async function takePicture({ source, caption, folder, stem }: PlacedPicture, beside: Beside, root: string): Promise<TakenPicture> {
  const target = join(root, folder, stem);
  await mkdir(join(root, folder), { recursive: true });
  const raw = `${target}.importing`;
  try {
    await copy(source.copyTo(raw));
    const sniffed = sniff(readHead(raw));
    const reason = sniffed === null ? await reasonFor(raw) : await place(raw, target, sniffed);
    if (reason !== null) return { reason, hasCaption: false };
    if (beside.post !== null) await writeFile(`${target}.json`, JSON.stringify(beside.post, null, 1));
    if (beside.caption !== null) await writeFile(`${target}.txt`, beside.caption);
    else if (caption !== null) await copy(caption.copyTo(`${target}.txt`));
    return { reason, hasCaption: beside.caption !== null || caption !== null };
  } finally {
    await rm(raw, { force: true });
  }
}

/** Puts the file in its place; returns why it can't be, or null. */
async function place(raw: string, target: string, { format, width, height }: Sniffed): Promise<string | null> {
  const extension = EXTENSIONS[format];
  if (isTrained(format) && extension !== undefined) {
    await rename(raw, target + extension);
    return null;
  }
  if (!isConvertible(format)) return `It is ${nameOf(format)}, which can't be read here; save it as PNG first.`;
  if (width * height > MAX_DECODED_PIXELS) return `It has ${width} × ${height} pixels, too many to convert; scale it down first.`;
  try {
    await sharp(raw, DECODE).autoOrient().toColourspace("srgb").png().toFile(`${target}.png`);
    return null;
  } catch (error) {
    await rm(`${target}.png`, { force: true });
    return `It is damaged or cut off (${String(error)}).`;
  }
}

async function reasonFor(raw: string): Promise<string> {
  return (await stat(raw)).size === 0 ? "The file is empty." : "It has a picture's name, but its content is no picture.";
}

async function copy(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // A zip that lies about its sizes or checksums shows it only while it is unpacked.
    if (error instanceof Error && !("code" in error))
      throw new FailureError(
        "bad_request",
        `Expected a zip that can be unpacked, but it is damaged (${error.message}); nothing was imported.`,
      );
    throw error;
  }
}
