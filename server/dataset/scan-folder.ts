import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Subset } from "../../protocol/dataset.js";
import { type DecodedCaption, decodeCaption } from "./caption-bytes.js";
import { DECODERS } from "./decoder.js";
import { type ListedPicture, listFolder } from "./list-folder.js";
import { type PictureFacts, readPicture } from "./picture.js";
import { mapPool } from "./pool.js";
import { type CacheEntry, readScanCache, type ScanCache, writeScanCache } from "./scan-cache.js";

/** A picture with everything that was found out about it and its caption. */
export type ScannedImage = {
  id: string;
  subset: string;
  bytes: number;
  facts: PictureFacts;
  /** Path of the caption file below the root, with `/`; null when there is none. */
  captionFile: string | null;
  caption: DecodedCaption | null;
  /** Path of the mask file below the root, with `/`; null when there is none. */
  mask: string | null;
};

export type ScannedFolder = { images: ScannedImage[]; subsets: Subset[] };
export type OnProgress = (progress: { done: number; total: number }) => void;

/** Looks at every picture (those that did not change since the last scan excepted) and caption below `root`, and writes only the cache. */
export async function scanFolder(root: string, onProgress: OnProgress = () => {}): Promise<ScannedFolder> {
  const { pictures, subsets } = await listFolder(root);
  const known = await readScanCache(root);
  const seen: ScanCache = new Map();
  let done = 0;
  const images = await mapPool(pictures, DECODERS, async (picture) => {
    const entry = await look(root, picture, known);
    seen.set(picture.id, entry);
    const image = await withCaption(root, picture, entry);
    onProgress({ done: ++done, total: pictures.length });
    return image;
  });
  const isSame = seen.size === known.size && [...seen].every(([id, entry]) => known.get(id) === entry);
  if (!isSame) await writeScanCache(root, seen);
  return { images, subsets };
}

async function look(root: string, { id }: ListedPicture, known: ScanCache): Promise<CacheEntry> {
  const file = join(root, id);
  const { mtimeMs, size } = await stat(file);
  const cached = known.get(id);
  if (cached !== undefined && cached.mtimeMs === mtimeMs && cached.bytes === size) return cached;
  const { facts } = await readPicture(file);
  return { mtimeMs, bytes: size, facts };
}

// A caption has a few kilobytes; what is larger is something else that happens to be named so.
const MAX_CAPTION_BYTES = 1_000_000;

async function withCaption(root: string, picture: ListedPicture, { bytes, facts }: CacheEntry): Promise<ScannedImage> {
  const { id, subset, mask } = picture;
  const none = { id, subset, bytes, facts, captionFile: null, caption: null, mask };
  if (picture.caption === null) return none;
  const file = join(root, picture.caption);
  if ((await stat(file)).size > MAX_CAPTION_BYTES) return none;
  return { ...none, captionFile: picture.caption, caption: decodeCaption(await readFile(file)) };
}
