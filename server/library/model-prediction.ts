import { open, readFile } from "node:fs/promises";
import { decodeTensor } from "./decode-tensor.js";
import type { SafetensorsHeader } from "./safetensors.js";

export type Prediction = "epsilon" | "v";

/**
 * What a checkpoint predicts as far as names and words tell: its sidecar yaml's `parameterization`, a tensor called `v_pred`, the file's
 * own metadata. null where nothing was said.
 */
export function spokenPrediction(yaml: string, names: Iterable<string>, metadata: Readonly<Record<string, string>>): Prediction | null {
  const written = /^[ \t]*(['"]?)parameterization\1[ \t]*:[ \t]*['"]?(\w+)/m.exec(yaml)?.[2];
  if (written !== undefined) return written === "v" ? "v" : "epsilon";
  for (const name of names) if (name === "v_pred") return "v";
  const spoken = metadata["modelspec.prediction_type"]?.toLowerCase() ?? "";
  if (spoken !== "") return spoken.startsWith("v") ? "v" : "epsilon";
  const architecture = metadata["modelspec.architecture"]?.toLowerCase() ?? "";
  if (architecture.includes("768-v")) return "v";
  return architecture.includes("v2-512") ? "epsilon" : null;
}

/** Text of the .yaml beside a checkpoint, "" without one. */
export async function readSidecar(checkpointPath: string): Promise<string> {
  // A checkpoint without a sidecar is the usual case.
  return readFile(checkpointPath.replace(/\.[^.\\/]+$/, ".yaml"), "utf8").catch(() => "");
}

/**
 * No name tells the two kinds of Stable Diffusion 2 apart. ComfyUI goes by how far one bias is spread, which is the only tensor that is
 * read here: a standard deviation above 0.09 means v.
 */
export async function looksLikeV(path: string, { tensors, headerBytes }: SafetensorsHeader): Promise<boolean> {
  const found = tensors.get(TELLING);
  if (found === undefined || found.end - found.start > MOST_BYTES) return false;
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(found.end - found.start), 0, found.end - found.start, headerBytes + found.start);
    const values = decodeTensor(buffer, found.dtype);
    return values !== null && deviation(values) > LEAST_SPREAD;
  } finally {
    await file.close();
  }
}

const TELLING = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
const MOST_BYTES = 65_536;
const LEAST_SPREAD = 0.09;

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
