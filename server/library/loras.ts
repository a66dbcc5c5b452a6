import { stat } from "node:fs/promises";
import { basename, relative, sep } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { LoraFile } from "../../protocol/messages.js";
import { findFiles } from "./find-files.js";
import { readHeader } from "./safetensors.js";

/**
 * The LoRA files below `loraDir`, newest first; `file` is the path below it with `/`. `epoch` comes from the file's own
 * metadata. `job` is null unless `jobOf` knows which job wrote the file of that name.
 */
export async function listLoras(loraDir: string, jobOf: (fileName: string) => string | null = () => null): Promise<LoraFile[]> {
  const paths = await findFiles(loraDir, [".safetensors"]);
  const files = await Promise.all(paths.map((path) => readLora(loraDir, path, jobOf)));
  return files.filter((file) => file !== null).sort((a, b) => b.modifiedAt - a.modifiedAt || a.file.localeCompare(b.file));
}

async function readLora(loraDir: string, path: string, jobOf: (fileName: string) => string | null): Promise<LoraFile | null> {
  // Moved away between the listing and now.
  const facts = await stat(path).catch(() => null);
  if (facts === null) return null;
  const file = relative(loraDir, path).split(sep).join("/");
  const name = basename(path, ".safetensors");
  const modifiedAt = Math.round(facts.mtimeMs);
  return { file, name, bytes: facts.size, modifiedAt, job: jobOf(basename(path)), epoch: await epochOf(path, modifiedAt, facts.size) };
}

// Reading the headers of a large LoRA folder takes seconds, and a LoRA file hardly ever changes.
const knownEpochs = new Map<string, { modifiedAt: number; bytes: number; epoch: number | null }>();

async function epochOf(path: string, modifiedAt: number, bytes: number): Promise<number | null> {
  const known = knownEpochs.get(path);
  if (known?.modifiedAt === modifiedAt && known.bytes === bytes) return known.epoch;
  const epoch = await readEpoch(path);
  knownEpochs.set(path, { modifiedAt, bytes, epoch });
  return epoch;
}

async function readEpoch(path: string): Promise<number | null> {
  try {
    const { metadata } = await readHeader(path, "lora_corrupt");
    const epoch = Number(metadata.ss_epoch);
    return Number.isInteger(epoch) && epoch > 0 ? epoch : null;
  } catch (thrown) {
    // A broken file is still a file of the folder; `lora inspect` says what is wrong with it.
    if (thrown instanceof FailureError) return null;
    throw thrown;
  }
}
