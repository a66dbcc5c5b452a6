import { open } from "node:fs/promises";
import { basename } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { BrokenPickleError, scanPickle } from "./pickle-scan.js";
import { unsafeImports } from "./safe-imports.js";
import { readZippedPickles } from "./zipped-pickles.js";

/** A checkpoint's pickle holds names and shapes, no weights: a real one has about a megabyte. */
const MAX_PICKLE = 64 * 1024 * 1024;
/** The old format is a row of pickles: magic number, version, system, the tensors' description, storage keys. */
const PICKLES_IN_A_ROW = 5;

/**
 * Names of the tensors in a .ckpt as far as its pickle shows them, with no shapes; nothing is executed.
 * null when the pickle holds no text at all. Throws FailureError: base_model_unsafe when loading it would import anything
 * outside the list of safe-imports.ts, base_model_corrupt when it is no PyTorch file or is cut off.
 */
export async function readCkptTensorNames(path: string): Promise<Map<string, null> | null> {
  const head = await readHead(path, 4);
  const zipped = head.toString("latin1").startsWith("PK\u0003\u0004");
  if (!zipped && head[0] !== 0x80) throw corrupt(path, "it begins like no PyTorch file (neither a zip nor a pickle)");
  const scans = zipped ? await scanZip(path) : scanRow(await readHead(path, MAX_PICKLE), path);
  const unsafe = unsafeImports(scans.flatMap((scan) => scan.imports));
  if (unsafe.length > 0) {
    throw new FailureError(
      "base_model_unsafe",
      `${basename(path)} should hold only weights, but loading it would run code: it imports ${unsafe.join(", ")}. It was not opened; use a .safetensors version of this checkpoint.`,
      path,
    );
  }
  const names = scans.flatMap((scan) => scan.texts);
  return names.length === 0 ? null : new Map(names.map((name) => [name.replace(/^state_dict\./, ""), null]));
}

type Scan = { imports: string[]; texts: string[] };

async function scanZip(path: string): Promise<Scan[]> {
  const pickles = await readZippedPickles(path, MAX_PICKLE).catch((cause: unknown) => {
    throw corrupt(path, `its zip can't be read (${cause instanceof Error ? cause.message : String(cause)})`);
  });
  if (pickles.length === 0) throw corrupt(path, "its zip holds no data.pkl");
  return pickles.map((bytes) => scanOne(bytes, 0, path));
}

function scanRow(bytes: Buffer, path: string): Scan[] {
  const scans: Scan[] = [];
  for (let at = 0; scans.length < PICKLES_IN_A_ROW && at < bytes.length; ) {
    const scan = scanOne(bytes, at, path);
    scans.push(scan);
    at = scan.end;
  }
  return scans;
}

function scanOne(bytes: Buffer, at: number, path: string): Scan & { end: number } {
  try {
    return scanPickle(bytes, at);
  } catch (cause) {
    if (!(cause instanceof BrokenPickleError)) throw cause;
    throw corrupt(path, `its pickle is broken: ${cause.message}`);
  }
}

async function readHead(path: string, count: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const size = Math.min(count, (await file.stat()).size);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function corrupt(path: string, what: string): FailureError {
  return new FailureError(
    "base_model_corrupt",
    `${basename(path)} should be a PyTorch checkpoint, but ${what}; copy or download it again.`,
    path,
  );
}
