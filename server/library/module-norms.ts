import { type FileHandle, open } from "node:fs/promises";
import { decodeTensor } from "./decode-tensor.js";
import type { LoraModuleInfo } from "./lora-modules.js";
import type { SafetensorsHeader, TensorInfo } from "./safetensors.js";

/** ‖ΔW‖_F per module, and over all modules together (root of the sum of squares) as if ΔW were one long vector. */
export type ModuleNorms = { total: number; unet: number; textEncoder: number; modules: Record<string, number> };

/** Multiplications above which the norms are not worth waiting for: dim 64 of Stable Diffusion 1, one to three seconds. */
const MAX_WORK = 1.5e9;

/**
 * Norms of what a LoRA adds at weight 1. With ΔW = s·U·D the squared norm is s²·Σ (UᵀU)∘(DDᵀ), so only dim × dim
 * products are needed. null when that would take too long or a tensor's dtype is unknown.
 */
export async function readModuleNorms(
  path: string,
  header: SafetensorsHeader,
  modules: readonly LoraModuleInfo[],
): Promise<ModuleNorms | null> {
  const work = modules.reduce((sum, { down, up, dim }) => sum + ((sizeOf(down) + sizeOf(up)) * dim) / 2, 0);
  if (work > MAX_WORK || modules.length === 0) return null;
  const file = await open(path);
  try {
    const norms: ModuleNorms = { total: 0, unet: 0, textEncoder: 0, modules: {} };
    for (const module of modules) {
      const norm = await moduleNorm(file, header, module);
      if (norm === null) return null;
      norms.modules[module.name] = norm;
      norms.total += norm ** 2;
      if (module.part === "unet") norms.unet += norm ** 2;
      if (module.part === "textEncoder") norms.textEncoder += norm ** 2;
    }
    return { ...norms, total: Math.sqrt(norms.total), unet: Math.sqrt(norms.unet), textEncoder: Math.sqrt(norms.textEncoder) };
  } finally {
    await file.close();
  }
}

function sizeOf(tensor: TensorInfo): number {
  return tensor.shape.reduce((a, b) => a * b, 1);
}

async function moduleNorm(file: FileHandle, header: SafetensorsHeader, module: LoraModuleInfo): Promise<number | null> {
  const { down, up, dim } = module;
  const downValues = await readTensor(file, header, down);
  const upValues = await readTensor(file, header, up);
  const alpha = module.alpha === null ? null : ((await readTensor(file, header, module.alpha))?.[0] ?? null);
  if (downValues === null || upValues === null) return null;
  const downGram = gramOfRows(downValues, dim);
  const upGram = gramOfColumns(upValues, dim);
  let sum = 0;
  for (let index = 0; index < downGram.length; index++) sum += (downGram[index] ?? 0) * (upGram[index] ?? 0);
  return (Math.sqrt(Math.max(0, sum)) * (alpha ?? dim)) / dim;
}

async function readTensor(file: FileHandle, header: SafetensorsHeader, tensor: TensorInfo): Promise<Float32Array | null> {
  const size = tensor.end - tensor.start;
  const { buffer } = await file.read(Buffer.alloc(size), 0, size, header.headerBytes + tensor.start);
  return decodeTensor(buffer, tensor.dtype);
}

/** D·Dᵀ of D (dim × n) as dim × dim. */
function gramOfRows(values: Float32Array, dim: number): Float64Array {
  const width = values.length / dim;
  const gram = new Float64Array(dim * dim);
  for (let row = 0; row < dim; row++) {
    for (let other = row; other < dim; other++) {
      let sum = 0;
      for (let k = 0, a = row * width, b = other * width; k < width; k++, a++, b++) sum += (values[a] ?? 0) * (values[b] ?? 0);
      gram[row * dim + other] = sum;
      gram[other * dim + row] = sum;
    }
  }
  return gram;
}

/** Uᵀ·U of U (n × dim) as dim × dim. */
function gramOfColumns(values: Float32Array, dim: number): Float64Array {
  const height = values.length / dim;
  const columns = new Float32Array(values.length);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < dim; column++) columns[column * height + row] = values[row * dim + column] ?? 0;
  return gramOfRows(columns, dim);
}
