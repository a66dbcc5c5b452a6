import { writeFile } from "node:fs/promises";
import { crc32 } from "node:zlib";

export type TestTensor = { shape: number[]; values?: readonly number[]; dtype?: "F32" | "F16" | "BF16" };

/** The bytes of a safetensors file; tensors without values are zeros. */
export function safetensors(tensors: Record<string, TestTensor>, metadata?: Record<string, string>): Buffer {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  const blocks: Buffer[] = [];
  let at = 0;
  for (const [name, { shape, values, dtype = "F32" }] of Object.entries(tensors)) {
    const block = encode(values ?? new Array(shape.reduce((a, b) => a * b, 1)).fill(0), dtype);
    header[name] = { dtype, shape, data_offsets: [at, at + block.length] };
    blocks.push(block);
    at += block.length;
  }
  return withHeader(JSON.stringify(header), Buffer.concat(blocks));
}

export function withHeader(json: string, block: Buffer): Buffer {
  const text = Buffer.from(json);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([prefix, text, block]);
}

/** Writes a zip whose entries are stored as they are, as PyTorch does. */
export async function writeZip(path: string, entries: Record<string, Buffer>): Promise<void> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, data] of Object.entries(entries)) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, Buffer.from(name), data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.from([20, 0]), common, tail, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(at, 12);
  await writeFile(path, Buffer.concat([...parts, central, Buffer.from("PK\u0005\u0006"), end]));
}

/** A checkpoint of Stable Diffusion 1 in small: the keys by which it is known. */
export const sd1Tensors: Record<string, TestTensor> = {
  "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": { shape: [10, 8] },
  "first_stage_model.decoder.conv_in.weight": { shape: [4, 4, 3, 3] },
  "model.diffusion_model.input_blocks.0.0.weight": { shape: [4, 4, 3, 3] },
  "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": { shape: [4, 8] },
};

/** A checkpoint of Stable Diffusion 2 of the ordinary width, by names and shapes alone. */
export const sd2Tensors: Record<string, TestTensor> = {
  "cond_stage_model.model.token_embedding.weight": { shape: [10, 8] },
  "first_stage_model.decoder.conv_in.weight": { shape: [4, 4, 3, 3] },
  "model.diffusion_model.input_blocks.0.0.weight": { shape: [320, 4, 1, 1] },
  "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": { shape: [4, 8] },
};

/** The same of SDXL. */
export const xlTensors: Record<string, TestTensor> = {
  "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight": { shape: [8] },
  "conditioner.embedders.1.model.ln_final.weight": { shape: [8] },
  "first_stage_model.decoder.conv_in.weight": { shape: [4, 4, 3, 3] },
  "model.diffusion_model.input_blocks.0.0.weight": { shape: [320, 4, 1, 1] },
};

/** Pickle opcodes of protocol 2, enough to write what a checkpoint or an attacker writes. */
export const pickle = {
  begin: Buffer.from([0x80, 2]),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  text: (value: string) =>
    Buffer.concat([Buffer.from("X"), Buffer.from(Uint32Array.of(Buffer.byteLength(value)).buffer), Buffer.from(value)]),
  reduce: Buffer.from("R"),
  stop: Buffer.from("."),
};

function encode(values: readonly number[], dtype: "F32" | "F16" | "BF16"): Buffer {
  const size = dtype === "F32" ? 4 : 2;
  const bytes = Buffer.alloc(values.length * size);
  values.forEach((value, index) => {
    if (dtype === "F32") bytes.writeFloatLE(value, index * 4);
    else if (dtype === "BF16") bytes.writeUInt16LE(new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16, index * 2);
    else bytes.writeUInt16LE(float16(value), index * 2);
  });
  return bytes;
}

// Exact for the small normal numbers that the tests use.
function float16(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}
