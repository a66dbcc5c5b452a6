import { basename } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { fileHashes } from "./file-hashes.js";
import { type LoraModuleInfo, loraModules, networkKind } from "./lora-modules.js";
import { type ModuleNorms, readModuleNorms } from "./module-norms.js";
import { type Recipe, readRecipe } from "./recipe.js";
import { recipeWords } from "./recipe-words.js";
import { readHeader, type SafetensorsHeader } from "./safetensors.js";

/** Everything that a LoRA file says about itself, and what its tensors say. */
export type LoraInspection = {
  file: string;
  bytes: number;
  kind: string;
  /** From the tensors, not from the metadata: the two may disagree. `dims` and `dtypes` without repetition. */
  modules: { unet: number; textEncoder: number; other: number };
  dims: number[];
  dtypes: string[];
  recipe: Recipe;
  /** `model` over the tensors alone, as kohya and the WebUI compute it; `matches` is null when the file records none. */
  hashes: { file: string; model: string; recordedModel: string | null; matches: boolean | null };
  norms: ModuleNorms | null;
  /** The same in plain sentences, most important first. */
  words: string[];
  metadata: Record<string, string>;
};

/** Reads a LoRA's recipe and checks its hash. Throws FailureError: not_found, lora_corrupt. */
export async function inspectLora(path: string): Promise<LoraInspection> {
  const header = await readHeader(path, "lora_corrupt");
  const kind = networkKind(header);
  if (kind === "unknown") {
    throw new FailureError("lora_corrupt", `A LoRA was expected, but ${basename(path)} holds no LoRA tensors; choose a LoRA file.`, path);
  }
  const modules = loraModules(header);
  const [hashes, norms] = await Promise.all([fileHashes(path, header.headerBytes), readModuleNorms(path, header, modules)]);
  const recordedModel = header.metadata.sshs_model_hash ?? null;
  const facts = {
    file: basename(path),
    bytes: header.fileBytes,
    kind,
    modules: countModules(header, modules),
    dims: distinct(modules.map(({ dim }) => dim)).sort((a, b) => a - b),
    dtypes: distinct([...header.tensors.values()].map(({ dtype }) => dtype)),
    recipe: readRecipe(header.metadata),
    hashes: { ...hashes, recordedModel, matches: recordedModel === null ? null : recordedModel === hashes.model },
    norms,
  };
  return { ...facts, words: recipeWords(facts), metadata: header.metadata };
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function countModules(header: SafetensorsHeader, modules: readonly LoraModuleInfo[]): LoraInspection["modules"] {
  const plain = { unet: 0, textEncoder: 0, other: 0 };
  for (const { part } of modules) plain[part] += 1;
  if (modules.length > 0) return plain;
  // Networks that are no products of two tensors are counted by their names alone.
  const names = distinct([...header.tensors.keys()].map((key) => key.split(".")[0] ?? key));
  const unet = names.filter((name) => name.startsWith("lora_unet_")).length;
  const textEncoder = names.filter((name) => name.startsWith("lora_te")).length;
  return { unet, textEncoder, other: names.length - unet - textEncoder };
}
