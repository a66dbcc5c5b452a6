import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import type { BaseModel } from "../../protocol/plan.js";

const Unet = z.object({
  in_channels: z.int().default(4),
  sample_size: z.int().positive().optional(),
  use_linear_projection: z.boolean().default(false),
  addition_embed_type: z.string().nullish(),
});
const Scheduler = z.object({ prediction_type: z.string().default("epsilon") });

/** The names that a folder's weights may have in each of its parts, and the parts that every model has. */
const WEIGHTS = /\.(safetensors|bin)$/;
const PARTS = ["unet", "vae", "text_encoder"];

/**
 * A model in diffusers' folder layout, from its JSON files alone. Throws FailureError: base_model_unsupported for any other folder,
 * base_model_missing when weights are not there, base_model_corrupt when a JSON file can't be read.
 */
export async function readDiffusersFolder(path: string): Promise<BaseModel> {
  const index = await stat(join(path, "model_index.json")).catch(() => null);
  if (index === null) {
    throw new FailureError(
      "base_model_unsupported",
      `A base model is one .safetensors or .ckpt file, or a folder in the layout of diffusers, but ${path} has no model_index.json; choose a file.`,
    );
  }
  const unet = await readJson(join(path, "unet", "config.json"), Unet);
  if (unet.in_channels !== 4) {
    throw new FailureError(
      "base_model_unsupported",
      `A base model with 4 input channels was expected, but ${basename(path)} has ${unet.in_channels}, as models for inpainting and editing have; choose another base model.`,
    );
  }
  const { prediction_type } = await readJson(join(path, "scheduler", "scheduler_config.json"), Scheduler);
  const kind = unet.addition_embed_type === "text_time" ? "sdxl" : unet.use_linear_projection ? "sd2" : "sd1";
  const prediction = prediction_type.startsWith("v") ? "v" : "epsilon";
  const ordinary = kind === "sdxl" ? 1024 : kind === "sd2" && prediction === "v" ? 768 : 512;
  const resolution = unet.sample_size === undefined ? ordinary : unet.sample_size * 8;
  return { name: basename(path), path, kind, prediction, resolution, bytes: await bytesOf(path) };
}

async function bytesOf(path: string): Promise<number> {
  let bytes = 0;
  for (const part of PARTS) {
    const files = (await readdir(join(path, part)).catch(() => [])).filter((file) => WEIGHTS.test(file));
    if (files.length === 0) {
      throw new FailureError(
        "base_model_missing",
        `Expected weights in ${join(path, part)}, but there is neither a .safetensors nor a .bin file; copy or download the folder again.`,
      );
    }
    for (const file of files) bytes += (await stat(join(path, part, file))).size;
  }
  return bytes;
}

async function readJson<Kind extends z.ZodType>(path: string, kind: Kind): Promise<z.output<Kind>> {
  const text = await readFile(path, "utf8").catch(() => null);
  const parsed = kind.safeParse(text === null ? null : parse(text));
  if (parsed.success) return parsed.data;
  throw new FailureError(
    "base_model_corrupt",
    `Expected ${path} to describe a part of the model, but it ${text === null ? "is not there" : "can't be read"}; copy or download that file again.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // refused by the schema
  }
}
