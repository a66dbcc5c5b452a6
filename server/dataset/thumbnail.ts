import { createHash, randomBytes } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { sharp, WHITE } from "./decoder.js";
import { DECODE } from "./picture.js";
import { writeFailure } from "./write-atomically.js";

const inWork = new Map<string, Promise<string>>();

/**
 * Path of a WebP of the picture whose longer side has at most `size` pixels: upright, alpha on white, never enlarged. It
 * is kept in `cacheDir` and made anew when the picture's time or size on disk changes.
 * Throws `not_found` when the picture is gone or can't be shown.
 */
export async function thumbnail(file: string, size: number, cacheDir: string): Promise<string> {
  const path = resolve(file);
  const facts = await stat(path).catch(() => null);
  if (!facts?.isFile()) throw new FailureError("not_found", `Expected a picture at ${path}, but there is none; scan the data set again.`);
  // By what the file is and not by its path, so that a picture that is moved need not be decoded again.
  const key = createHash("sha256").update([facts.dev, facts.ino, facts.mtimeMs, facts.size, size].join("\n")).digest("hex");
  const cached = join(cacheDir, "thumbnails", key.slice(0, 2), `${key.slice(2, 34)}.webp`);
  const working = inWork.get(cached) ?? make(path, size, cached).finally(() => inWork.delete(cached));
  inWork.set(cached, working);
  return await working;
}

async function make(file: string, size: number, cached: string): Promise<string> {
  if ((await stat(cached).catch(() => null)) !== null) return cached;
  const webp = await draw(file, size).catch((error: unknown) => {
    throw new FailureError(
      "not_found",
      `Expected a picture that can be shown at ${file}, but it can't be read (${String(error)}); scan the data set again.`,
    );
  });
  await put(webp, cached);
  return cached;
}

/** Whole or not at all, but not flushed to the disk: what a power cut takes is drawn again. */
async function put(webp: Buffer, cached: string): Promise<void> {
  const temporary = `${cached}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await mkdir(dirname(cached), { recursive: true });
    await writeFile(temporary, webp);
    await rename(temporary, cached);
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeFailure(error, cached);
  }
}

async function draw(file: string, size: number): Promise<Buffer> {
  return await sharp(file, { ...DECODE, failOn: "none" })
    .autoOrient()
    .resize(size, size, { fit: "inside", withoutEnlargement: true })
    .flatten({ background: WHITE })
    .webp({ quality: 82 })
    .toBuffer();
}
