import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { PictureFacts } from "./picture.js";
import { writeAtomically } from "./write-atomically.js";

/** Raised whenever facts are found in another way, so that older ones are not believed. */
const CACHE_VERSION = 1;

const Facts = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    format: z.enum(["jpeg", "png", "webp", "gif", "tiff", "avif", "bmp", "heic", "jxl", "jp2", "svg", "pdf", "psd"]),
    width: z.int().positive(),
    height: z.int().positive(),
    orientation: z.int(),
    transparent: z.boolean(),
    animated: z.boolean(),
    fingerprint: z.object({
      phash: z.string().length(16),
      mirrored: z.string().length(16),
      colours: z.string().length(96),
      detail: z.string().length(512),
      flat: z.boolean(),
    }),
  }),
  z.object({
    ok: z.literal(false),
    code: z.enum(["not_an_image", "truncated", "too_large", "unsupported_format"]),
    format: z.string(),
    width: z.int(),
    height: z.int(),
    reason: z.string(),
  }),
]);
const Entry = z.object({ mtimeMs: z.number(), bytes: z.int(), facts: Facts });
const CacheFile = z.object({ version: z.literal(CACHE_VERSION), pictures: z.record(z.string(), Entry) });

/** What earlier scans found out, by the picture's path, and believed as long as time and size of the file stay. */
export type ScanCache = Map<string, CacheEntry>;
export type CacheEntry = { mtimeMs: number; bytes: number; facts: PictureFacts };

export async function readScanCache(root: string): Promise<ScanCache> {
  try {
    const { pictures } = CacheFile.parse(JSON.parse(await readFile(fileOf(root), "utf8")));
    return new Map(Object.entries(pictures));
  } catch {
    // Absent, spoilt or of another version: everything is looked at again.
    return new Map();
  }
}

export async function writeScanCache(root: string, cache: ScanCache): Promise<void> {
  try {
    await writeAtomically(fileOf(root), JSON.stringify({ version: CACHE_VERSION, pictures: Object.fromEntries(cache) }));
  } catch {
    // A folder that may not be written to, or a full disk, costs time at the next scan and nothing else.
  }
}

function fileOf(root: string): string {
  return join(root, ".train-lora", "scan.json");
}
