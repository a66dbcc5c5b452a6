import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { LoraTool } from "../../protocol/lora-tools.js";
import { loraModules } from "../library/lora-modules.js";
import { readHeader, type SafetensorsHeader } from "../library/safetensors.js";

type Blend = Extract<LoraTool, { tool: "blend" }>;
type Merge = Extract<LoraTool, { tool: "merge" }>;

/**
 * The merge that blends these epochs of the run that wrote `file`: equal weights, at the largest dim of the files unless another is
 * asked for. Throws `bad_request` for epochs that make no sense, `not_found` for one whose file is not beside it, `lora_corrupt`.
 */
export async function blendedEpochs({ file, epochs, out, dim, precision }: Blend): Promise<Merge> {
  const wanted = readEpochs(epochs);
  const found = await epochFiles(file);
  const missing = wanted.filter((epoch) => !found.has(epoch));
  if (missing.length > 0) {
    const there = [...found.keys()].sort((a, b) => a - b).join(", ");
    throw new FailureError(
      "not_found",
      `Expected the files of epochs ${wanted.join(", ")} beside ${basename(file)}, but there is none of ${missing.join(", ")}; there are ${there || "none"}.`,
    );
  }
  const files = wanted.map((epoch) => found.get(epoch)?.path ?? "");
  const dims = wanted.flatMap((epoch) => loraModules(found.get(epoch)?.header ?? EMPTY));
  const most = (kernel: boolean) => Math.max(0, ...dims.filter(({ down }) => hasKernel(down.shape) === kernel).map((module) => module.dim));
  return {
    tool: "merge",
    files,
    weights: files.map(() => 1 / files.length),
    out,
    dim: dim ?? (most(false) || most(true) || 1),
    ...(dim === undefined && most(true) > 0 && { convDim: most(true) }),
    ...(precision && { precision }),
    note: `blend of epochs ${epochs.replaceAll(" ", "")}`,
  };
}

/** "6-9", "3,5,8" or both as epochs, each once. Throws `bad_request`. */
export function readEpochs(text: string): number[] {
  const parts = text.split(",").map((part) => /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part));
  const ranges = parts.map((part) => (part === null ? null : ([Number(part[1]), Number(part[2] ?? part[1])] as const)));
  const epochs = ranges.flatMap((range) =>
    range === null || range[0] < 1 || range[1] < range[0] || range[1] - range[0] > 1000
      ? [Number.NaN]
      : Array.from({ length: range[1] - range[0] + 1 }, (_, index) => range[0] + index),
  );
  const once = [...new Set(epochs)];
  if (!once.some(Number.isNaN) && once.length >= 2) return once;
  throw new FailureError("bad_request", `Expected at least two epochs such as 6-9 or 3,5,8, but got "${text}"; name the epochs to blend.`);
}

const EMPTY: SafetensorsHeader = { metadata: {}, tensors: new Map(), headerBytes: 0, fileBytes: 0 };

function hasKernel(shape: readonly number[]): boolean {
  return shape.length === 4 && (shape[2] ?? 1) * (shape[3] ?? 1) > 1;
}

/** The run's epochs by their files' own metadata: names may have been changed since. */
async function epochFiles(file: string): Promise<Map<number, { path: string; header: SafetensorsHeader }>> {
  const folder = dirname(file);
  const session = (await readHeader(file, "lora_corrupt")).metadata.ss_session_id;
  if (session === undefined || session === "" || session === "None")
    throw new FailureError(
      "lora_corrupt",
      `${basename(file)} does not say which run wrote it (ss_session_id), so its epochs can't be found; merge the files instead.`,
    );
  const found = new Map<number, { path: string; header: SafetensorsHeader }>();
  for (const name of (await readdir(folder)).filter((entry) => entry.endsWith(".safetensors") && !entry.startsWith(".")).sort()) {
    const path = join(folder, name);
    // A broken file beside it is no epoch of the run.
    const header = await readHeader(path, "lora_corrupt").catch(() => null);
    const epoch = Number(header?.metadata.ss_epoch);
    if (header?.metadata.ss_session_id !== session || !Number.isInteger(epoch) || found.has(epoch)) continue;
    if (/^(blend of|merged from|dimension is|Dynamic resize|converted to)/.test(header.metadata.ss_training_comment ?? "")) continue;
    found.set(epoch, { path, header });
  }
  return found;
}
