import { readFileSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import type { Subset } from "../../protocol/dataset.js";
import { type DecodedCaption, decodeCaption } from "./caption-bytes.js";
import { DECODERS } from "./decoder.js";
import { type ListedPicture, listFolder } from "./list-folder.js";
import { type PictureFacts, readPicture } from "./picture.js";
import { mapPool } from "./pool.js";
import { type CacheEntry, type ScanCache, writeScanCache } from "./scan-cache.js";
import { type CaptionEntry, findMoved, recall, remember } from "./scan-memory.js";

/** A picture with everything that was found out about it and its caption. */
export type ScannedImage = {
  id: string;
  subset: string;
  bytes: number;
  /** Time of the file's last change, in milliseconds since 1970. */
  mtimeMs: number;
  facts: PictureFacts;
  /** Path of the caption file below the root, with `/`; null when there is none. */
  captionFile: string | null;
  caption: DecodedCaption | null;
  /** Path of the mask file below the root, with `/`; null when there is none. */
  mask: string | null;
};

export type ScannedFolder = { images: ScannedImage[]; subsets: Subset[] };
export type OnProgress = (progress: { done: number; total: number }) => void;

/**
 * Looks at every picture and caption below `root` that did not change since the last scan, and writes only the cache. Times and sizes are
 * asked for synchronously, which is several times quicker than by promises, in slices that let the server answer others meanwhile.
 */
export async function scanFolder(root: string, onProgress: OnProgress = () => {}): Promise<ScannedFolder> {
  const { pictures, subsets } = await listFolder(root);
  const memory = await recall(root);
  const seen: ScanCache = new Map();
  const captions = new Map<string, CaptionEntry>();
  const moved = findMoved(memory.pictures, pictures);
  const unknown: ListedPicture[] = [];
  await inSlices(pictures, (picture) => {
    const { mtimeMs, size } = statSync(join(root, picture.id));
    const known = [memory.pictures.get(picture.id), moved(picture.id)].find((one) => one?.mtimeMs === mtimeMs && one.bytes === size);
    if (known === undefined) unknown.push(picture);
    else seen.set(picture.id, known);
    if (picture.caption !== null) captions.set(picture.caption, lookAtCaption(root, picture.caption, memory.captions));
  });
  await decodeAll(root, unknown, seen, (done) => onProgress({ done: pictures.length - unknown.length + done, total: pictures.length }));
  const isSame = seen.size === memory.pictures.size && [...seen].every(([id, entry]) => memory.pictures.get(id) === entry);
  remember(root, { pictures: seen, captions });
  if (!isSame) await writeScanCache(root, seen);
  return { images: pictures.flatMap((picture) => imageOf(picture, seen.get(picture.id), captions)), subsets };
}

const SLICE_MS = 12;

/** `work` on every item, with a pause for others whenever a slice of time is used up. */
async function inSlices<T>(items: readonly T[], work: (item: T) => void): Promise<void> {
  let until = performance.now() + SLICE_MS;
  for (const item of items) {
    work(item);
    if (performance.now() < until) continue;
    await breathe();
    until = performance.now() + SLICE_MS;
  }
}

/** A scan of an hour that is cut off should not begin anew. */
const KEEP_EVERY_MS = 20_000;

async function decodeAll(root: string, unknown: readonly ListedPicture[], seen: ScanCache, onDone: (done: number) => void): Promise<void> {
  let done = 0;
  let kept = performance.now();
  await mapPool(unknown, DECODERS, async ({ id }) => {
    const file = join(root, id);
    const { mtimeMs, size } = await stat(file);
    const { facts } = await readPicture(file);
    seen.set(id, { mtimeMs, bytes: size, facts });
    onDone(++done);
    if (performance.now() - kept < KEEP_EVERY_MS) return;
    kept = performance.now();
    await writeScanCache(root, seen);
  });
}

// A caption has a few kilobytes; what is larger is something else that happens to be named so.
const MAX_CAPTION_BYTES = 1_000_000;

function lookAtCaption(root: string, path: string, known: ReadonlyMap<string, CaptionEntry>): CaptionEntry {
  const file = join(root, path);
  const { mtimeMs, size, ino } = statSync(file);
  const before = known.get(path);
  if (before?.mtimeMs === mtimeMs && before.bytes === size && before.ino === ino) return before;
  return { mtimeMs, bytes: size, ino, caption: size > MAX_CAPTION_BYTES ? null : decodeCaption(readFileSync(file)) };
}

function imageOf(picture: ListedPicture, entry: CacheEntry | undefined, captions: ReadonlyMap<string, CaptionEntry>): ScannedImage[] {
  if (entry === undefined) return [];
  const { id, subset, mask } = picture;
  const caption = picture.caption === null ? null : (captions.get(picture.caption)?.caption ?? null);
  const captionFile = caption === null ? null : picture.caption;
  return [{ id, subset, bytes: entry.bytes, mtimeMs: entry.mtimeMs, facts: entry.facts, captionFile, caption, mask }];
}
