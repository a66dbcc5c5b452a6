import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { DECODERS } from "../dataset/decoder.js";
import { mapPool } from "../dataset/pool.js";
import { writeAtomically } from "../dataset/write-atomically.js";
import { ownFolder } from "./score-file.js";

const Known = z.record(z.string(), z.tuple([z.number(), z.int(), z.string()]));
type Known = z.infer<typeof Known>;

/**
 * SHA-256 of each picture's bytes by its id; pictures that can't be read are left out. What was read once is believed as long as time and
 * size of the file stay.
 */
export async function pictureHashes(root: string, images: readonly string[], signal?: AbortSignal): Promise<Map<string, string>> {
  const known = readKnown(root);
  const now: Known = { ...known };
  let isNew = false;
  const hashes = new Map<string, string>();
  await mapPool([...images], DECODERS, async (image) => {
    signal?.throwIfAborted();
    const facts = statSync(join(root, image), { throwIfNoEntry: false });
    if (facts === undefined) return;
    const [mtimeMs, bytes, hash] = known[image] ?? [];
    if (hash !== undefined && mtimeMs === facts.mtimeMs && bytes === facts.size) return void hashes.set(image, hash);
    const fresh = await hashOf(join(root, image));
    if (fresh === null) return;
    isNew = true;
    now[image] = [facts.mtimeMs, facts.size, fresh];
    hashes.set(image, fresh);
  });
  if (isNew) await keep(root, now);
  return hashes;
}

async function hashOf(file: string): Promise<string | null> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
    return hash.digest("hex");
  } catch {
    // A picture that is gone or may not be read; the tagger says so in words.
    return null;
  }
}

function readKnown(root: string): Known {
  try {
    return Known.parse(JSON.parse(readFileSync(fileOf(root), "utf8")));
  } catch {
    // Absent or spoilt: everything is read again.
    return {};
  }
}

async function keep(root: string, known: Known): Promise<void> {
  try {
    await writeAtomically(fileOf(root), JSON.stringify(known));
  } catch {
    // A folder that may not be written to costs time at the next look and nothing else.
  }
}

function fileOf(root: string): string {
  return join(ownFolder(root), "hashes.json");
}
