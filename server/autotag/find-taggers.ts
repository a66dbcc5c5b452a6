import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import type { Tagger } from "../../protocol/autotag.js";
import { FailureError } from "../../protocol/errors.js";
import { findTaggerFiles, type TaggerFiles, taggerFilesAt } from "./tagger-files.js";
import type { TaggerPlace } from "./tagger-places.js";

/** A tagger and where its files are. */
export type FoundTagger = Tagger & TaggerFiles;

/** Every tagger in these places, each content once: the place that is named first has it. */
export async function findTaggers(places: readonly TaggerPlace[]): Promise<FoundTagger[]> {
  const found = new Map<string, FoundTagger>();
  for (const { folder, place, depth } of places)
    for (const files of await findTaggerFiles(folder, depth)) {
      const tagger = await identify(files, place);
      if (tagger !== null && !found.has(tagger.id)) found.set(tagger.id, tagger);
    }
  return [...found.values()];
}

/** The tagger that a person means by an id, a name, a folder or a model's file. Throws `tagger_missing`. */
export async function chooseTagger(wanted: string, places: readonly TaggerPlace[]): Promise<FoundTagger> {
  const taggers = await findTaggers(places);
  const known = taggers.find(({ id }) => id === wanted) ?? taggers.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (known !== undefined) return known;
  for (const files of await taggerFilesAt(wanted)) {
    const tagger = await identify(files, "other");
    if (tagger !== null) return tagger;
  }
  const names = taggers.map(({ name }) => name);
  throw new FailureError(
    "tagger_missing",
    `Expected a tagger "${wanted}", but there ${names.length === 0 ? "is none on this machine; download one" : `are only ${names.join(", ")}; choose one of these, or download another`}.`,
  );
}

const LOOK_BYTES = 1 << 20;

/** By size, beginning and end of the model and by its tag names, so that a gigabyte is not read to be known again. Null for lost files. */
async function identify(files: TaggerFiles, place: Tagger["place"]): Promise<FoundTagger | null> {
  try {
    const { size } = await stat(files.model);
    const hash = createHash("sha256").update(`${files.family} ${size}\n`);
    for (const [file, from] of [
      [files.model, 0],
      [files.model, Math.max(0, size - LOOK_BYTES)],
      [files.labels, 0],
    ] as const)
      hash.update(await read(file, from, LOOK_BYTES * (file === files.labels ? 64 : 1)));
    return { ...files, id: hash.digest("hex").slice(0, 16), bytes: size, place };
  } catch {
    // A link of a hub's cache whose file was cleared away.
    return null;
  }
}

async function read(file: string, from: number, most: number): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.max(0, Math.min(most, size - from)));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
