import { basename } from "node:path";
import type { DecodedCaption } from "./caption-bytes.js";
import type { ListedPicture } from "./list-folder.js";
import { type CacheEntry, readScanCache, type ScanCache } from "./scan-cache.js";

/**
 * A caption file as it was read when it had this time and size; null for one that is too large to be a caption. An edit within the same
 * tick of a coarse clock makes another file of it, which `ino` tells.
 */
export type CaptionEntry = { mtimeMs: number; bytes: number; ino: number; caption: DecodedCaption | null };

/** What the last scan of a folder found, kept while the process lives, so that the next one only looks at what changed. */
export type ScanMemory = { pictures: ScanCache; captions: ReadonlyMap<string, CaptionEntry> };

const FOLDERS_KEPT = 3;
const memories = new Map<string, ScanMemory>();

/** The memory of a folder, else what an earlier process left in its cache. */
export async function recall(root: string): Promise<ScanMemory> {
  return memories.get(root) ?? { pictures: await readScanCache(root), captions: new Map() };
}

/** Keeps the memory of the folders that were scanned last. */
export function remember(root: string, memory: ScanMemory): void {
  memories.delete(root);
  memories.set(root, memory);
  const oldest = memories.keys().next().value;
  if (memories.size > FOLDERS_KEPT && oldest !== undefined) memories.delete(oldest);
}

/** What was known of pictures that now lie elsewhere: a moved file keeps its name, time and size. */
export function findMoved(known: ScanCache, pictures: readonly ListedPicture[]): (id: string) => CacheEntry | undefined {
  const present = new Set(pictures.map(({ id }) => id));
  const byName = new Map<string, CacheEntry>();
  for (const [id, entry] of known) if (!present.has(id)) byName.set(basename(id), entry);
  return (id) => (byName.size === 0 ? undefined : byName.get(basename(id)));
}
