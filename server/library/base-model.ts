import { stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { BaseModel } from "../../protocol/plan.js";
import { checkpointKind, modelChannels, type TensorShapes, unsupportedKind } from "./checkpoint-kind.js";
import { readCkptTensorNames } from "./ckpt.js";
import { readDiffusersFolder } from "./diffusers-folder.js";
import { looksLikeV, type Prediction, readSidecar, spokenPrediction } from "./model-prediction.js";
import { modelResolution } from "./model-resolution.js";
import { readHeader, type SafetensorsHeader } from "./safetensors.js";

/**
 * What a checkpoint or a folder in diffusers' layout is, from its header, its sidecar yaml or its JSON files; nothing in it is executed.
 * Throws FailureError: base_model_missing, base_model_corrupt, base_model_unsafe (a pickle that imports code),
 * base_model_unsupported (the sentence names what the file is instead).
 */
export async function readBaseModel(path: string): Promise<BaseModel> {
  const facts = await factsOf(path);
  if (facts.isDirectory()) return readDiffusersFolder(path);
  const extension = extname(path).toLowerCase();
  if (extension !== ".safetensors" && extension !== ".ckpt") {
    throw new FailureError(
      "base_model_unsupported",
      `A base model is a .safetensors or .ckpt file, but ${basename(path)} is neither; choose a checkpoint of Stable Diffusion 1, 2 or XL.`,
      path,
    );
  }
  const header = extension === ".safetensors" ? await readHeader(path, "base_model_corrupt") : null;
  const shapes: TensorShapes | null = header === null ? await readCkptTensorNames(path) : shapesOf(header);
  const foreign = shapes === null ? null : unsupportedKind(shapes);
  if (foreign !== null) {
    throw new FailureError(
      "base_model_unsupported",
      `A checkpoint of Stable Diffusion 1, 2 or XL was expected, but ${basename(path)} is something else: it is ${foreign}. Choose another base model.`,
      path,
    );
  }
  const tensors = shapes ?? new Map<string, null>();
  const yaml = await readSidecar(path);
  const kind = checkpointKind(tensors);
  const prediction = await predictionOf(path, header, tensors, yaml);
  const resolution = modelResolution(kind, prediction, yaml, modelChannels(tensors));
  return { name: basename(path, extname(path)), path, kind, prediction, resolution, bytes: facts.size };
}

async function predictionOf(path: string, header: SafetensorsHeader | null, tensors: TensorShapes, yaml: string): Promise<Prediction> {
  const spoken = spokenPrediction(yaml, tensors.keys(), header?.metadata ?? {});
  if (spoken !== null) return spoken;
  const isV = header !== null && checkpointKind(tensors) === "sd2" && (await looksLikeV(path, header));
  return isV ? "v" : "epsilon";
}

async function factsOf(path: string) {
  // An unreadable path and a missing one need the same answer: name the path and let the user look.
  const facts = await stat(path).catch(() => null);
  if (facts === null) {
    throw new FailureError("base_model_missing", `There is no base model at ${path}; put the checkpoint back or choose another one.`);
  }
  if (facts.isFile() && facts.size === 0)
    throw new FailureError("base_model_corrupt", `${basename(path)} is empty; copy or download the checkpoint again.`, path);
  return facts;
}

function shapesOf({ tensors }: SafetensorsHeader): TensorShapes {
  return new Map([...tensors].map(([name, tensor]) => [name, tensor.shape]));
}
