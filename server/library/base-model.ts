import { stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { BaseModel } from "../../protocol/plan.js";
import { unsupportedKind } from "./checkpoint-kind.js";
import { readCkptTensorNames } from "./ckpt.js";
import { readModelResolution } from "./model-resolution.js";
import { readHeader } from "./safetensors.js";

/**
 * What a checkpoint is, from its header and its sidecar yaml alone; no tensor is read and nothing in it is executed.
 * Throws FailureError: base_model_missing, base_model_corrupt, base_model_unsafe (a pickle that imports code),
 * base_model_unsupported (the sentence names what the file is instead).
 */
export async function readBaseModel(path: string): Promise<BaseModel> {
  const extension = extname(path).toLowerCase();
  const bytes = await sizeOf(path);
  if (extension !== ".safetensors" && extension !== ".ckpt") {
    throw new FailureError(
      "base_model_unsupported",
      `A base model is a .safetensors or .ckpt file, but ${basename(path)} is neither; choose a Stable Diffusion 1 checkpoint.`,
      path,
    );
  }
  const shapes = extension === ".ckpt" ? await readCkptTensorNames(path) : await readShapes(path);
  const kind = shapes === null ? null : unsupportedKind(shapes);
  if (kind !== null) {
    throw new FailureError(
      "base_model_unsupported",
      `A Stable Diffusion 1 checkpoint was expected, but ${basename(path)} is something else: it is ${kind}. Choose another base model.`,
      path,
    );
  }
  return { name: basename(path, extname(path)), path, kind: "sd1", resolution: await readModelResolution(path), bytes };
}

async function sizeOf(path: string): Promise<number> {
  // An unreadable path and a missing one need the same answer: name the path and let the user look.
  const facts = await stat(path).catch(() => null);
  if (facts === null) {
    throw new FailureError("base_model_missing", `There is no base model at ${path}; put the checkpoint back or choose another one.`);
  }
  if (facts.isDirectory()) {
    throw new FailureError(
      "base_model_unsupported",
      `A base model is one .safetensors or .ckpt file, but ${path} is a folder; choose a file.`,
    );
  }
  if (facts.size === 0)
    throw new FailureError("base_model_corrupt", `${basename(path)} is empty; copy or download the checkpoint again.`, path);
  return facts.size;
}

async function readShapes(path: string): Promise<Map<string, readonly number[]>> {
  const { tensors } = await readHeader(path, "base_model_corrupt");
  return new Map([...tensors].map(([name, tensor]) => [name, tensor.shape]));
}
