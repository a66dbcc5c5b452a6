import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";

/** Which failure a broken file is: depends on what the caller wanted the file for. */
export type CorruptCode = "base_model_corrupt" | "lora_corrupt";

/** `start` and `end` are byte offsets in the tensor block, i.e. counted from `headerBytes` of the file. */
export type TensorInfo = { dtype: string; shape: number[]; start: number; end: number };

export type SafetensorsHeader = {
  metadata: Record<string, string>;
  tensors: Map<string, TensorInfo>;
  /** Length prefix and JSON together: the tensor block begins here. */
  headerBytes: number;
  fileBytes: number;
};

/** Bytes of one element; types of less than a byte are not listed and are not checked against their shape. */
export const dtypeBytes: ReadonlyMap<string, number> = new Map(
  Object.entries({
    F64: 8,
    I64: 8,
    U64: 8,
    F32: 4,
    I32: 4,
    U32: 4,
    F16: 2,
    BF16: 2,
    I16: 2,
    U16: 2,
    F8_E4M3: 1,
    F8_E5M2: 1,
    I8: 1,
    U8: 1,
    BOOL: 1,
  }),
);

/** The format's own limit (safetensors' Rust reader has the same). */
const MAX_HEADER = 100_000_000;
const PREFIX = 8;

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Metadata = z.record(z.string(), z.string());
const Header = z.record(z.string(), z.unknown());

/**
 * Reads and checks the header of a .safetensors file; no tensor is read. The check is complete: the tensors must fill
 * the rest of the file without a gap and each must have the size that its shape says, so a truncated file never passes.
 * Throws FailureError: `corruptCode`, or for a missing file `base_model_missing` / `not_found`.
 */
export async function readHeader(path: string, corruptCode: CorruptCode = "base_model_corrupt"): Promise<SafetensorsHeader> {
  const fileBytes = await fileSize(path, corruptCode);
  const corrupt = (what: string) =>
    new FailureError(corruptCode, `${basename(path)} should be a complete safetensors file, but ${what}; copy or download it again.`, path);
  if (fileBytes < PREFIX + 2) throw corrupt(`it has only ${fileBytes} bytes`);
  const file = await open(path);
  try {
    const { buffer: prefix } = await file.read(Buffer.alloc(PREFIX), 0, PREFIX, 0);
    const length = Number(prefix.readBigUInt64LE());
    if (length > MAX_HEADER || length < 2) throw corrupt("it does not begin with the length of a header");
    if (PREFIX + length > fileBytes) throw corrupt(`it ends inside its header (${fileBytes} of ${PREFIX + length} bytes)`);
    const { buffer: json } = await file.read(Buffer.alloc(length), 0, length, PREFIX);
    const headerBytes = PREFIX + length;
    const { metadata, tensors } = parseHeader(json, corrupt);
    checkLayout(tensors, fileBytes - headerBytes, corrupt);
    return { metadata, tensors, headerBytes, fileBytes };
  } finally {
    await file.close();
  }
}

async function fileSize(path: string, corruptCode: CorruptCode): Promise<number> {
  const missing = corruptCode === "base_model_corrupt" ? "base_model_missing" : "not_found";
  // An unreadable path and a missing one need the same answer: name the path and let the user look.
  const facts = await stat(path).catch(() => null);
  if (facts === null) throw new FailureError(missing, `There is no file ${path}; check the path or choose another file.`);
  if (!facts.isFile()) throw new FailureError(missing, `${path} is a folder, expected a .safetensors file; choose a file in it.`);
  return facts.size;
}

function parseHeader(json: Buffer, corrupt: (what: string) => FailureError): Pick<SafetensorsHeader, "metadata" | "tensors"> {
  const header = Header.safeParse(parseJson(json));
  if (!header.success) throw corrupt("its header is not a JSON object");
  const { __metadata__: rawMetadata, ...entries } = header.data;
  const metadata = Metadata.safeParse(rawMetadata ?? {});
  if (!metadata.success) throw corrupt("its metadata is not a list of texts");
  const tensors = new Map<string, TensorInfo>();
  for (const [name, value] of Object.entries(entries)) {
    const entry = Entry.safeParse(value);
    if (!entry.success) throw corrupt(`its header describes the tensor "${name}" in an unknown way`);
    const [start, end] = entry.data.data_offsets;
    tensors.set(name, { dtype: entry.data.dtype, shape: entry.data.shape, start, end });
  }
  return { metadata: metadata.data, tensors };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // Every way of not being JSON is the same fact to the caller.
    return null;
  }
}

function checkLayout(tensors: Map<string, TensorInfo>, blockBytes: number, corrupt: (what: string) => FailureError): void {
  let expected = 0;
  for (const [name, tensor] of [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    const size = dtypeBytes.get(tensor.dtype);
    if (tensor.start !== expected || tensor.end < tensor.start) throw corrupt(`the place of the tensor "${name}" in it is wrong`);
    if (size !== undefined && tensor.shape.reduce((a, b) => a * b, size) !== tensor.end - tensor.start) {
      throw corrupt(`the tensor "${name}" has another size than its shape says`);
    }
    if (tensor.end > blockBytes) throw corrupt(`it is cut off: the tensor "${name}" ends ${tensor.end - blockBytes} bytes behind its end`);
    expected = tensor.end;
  }
  if (expected !== blockBytes) throw corrupt(`${blockBytes - expected} bytes at its end belong to no tensor`);
}
