import { basename, resolve } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { GridRequest } from "../../protocol/grid.js";
import type { BaseModel } from "../../protocol/plan.js";
import { GridSettings } from "../../protocol/settings.js";
import { readBaseModel } from "../library/base-model.js";
import { listBaseModels } from "../library/base-models.js";
import { type Recipe, readRecipe } from "../library/recipe.js";
import { readHeader } from "../library/safetensors.js";
import { shortModelHash } from "../library/short-model-hash.js";

/** What somebody asks for on the command line; what is left out follows from the LoRAs and their base model. */
export type GridChoice = {
  home: string;
  /** Paths of the LoRA files, one row each. */
  loras: readonly string[];
  outDir: string;
  /** Grid settings as given; a weight 0 is dropped because the no-LoRA column is always drawn. */
  settings: Partial<GridSettings>;
  /** Path of the base model, or its name in the list. */
  baseModel?: string;
  width?: number;
  height?: number;
  precision?: GridRequest["precision"];
  /** Path of an autoencoder's file that takes the place of the base model's own. */
  vae?: string;
  predictionType?: GridRequest["predictionType"];
  maxBatch?: number;
};

/**
 * The request by which the trainer draws a grid of LoRA files. Throws FailureError: bad_request, lora_corrupt, not_found,
 * base_model_missing when no listed base model fits what the LoRAs say and none was given.
 */
export async function gridRequest(choice: GridChoice): Promise<GridRequest> {
  if (choice.loras.length === 0)
    throw new FailureError("bad_request", "A grid needs at least one LoRA file, but none was given; name one with --lora.");
  const recipes = await Promise.all(choice.loras.map(readLoraRecipe));
  const baseModel =
    choice.baseModel === undefined ? await findBaseModel(choice, recipes) : await chosenBaseModel(choice.baseModel, choice.home);
  const [trainedWidth, trainedHeight] = trainedSize(recipes[0]?.resolution ?? null, baseModel);
  return {
    baseModelPath: baseModel.path,
    loras: labelled(choice.loras, recipes),
    settings: gridSettings(choice.settings),
    width: choice.width ?? trainedWidth,
    height: choice.height ?? trainedHeight,
    clipSkip: clipSkipOf(recipes[0], baseModel),
    precision: choice.precision ?? "no",
    ...(choice.vae !== undefined && { vae: resolve(choice.vae) }),
    ...(choice.predictionType !== undefined && { predictionType: choice.predictionType }),
    outDir: resolve(choice.outDir),
    maxBatch: choice.maxBatch ?? null,
  };
}

async function readLoraRecipe(path: string): Promise<Recipe> {
  return readRecipe((await readHeader(path, "lora_corrupt")).metadata);
}

function gridSettings(given: Partial<GridSettings>): GridSettings {
  const weights = given.weights?.filter((weight) => weight !== 0);
  const settings = GridSettings.safeParse({ ...given, ...(weights && { weights }) });
  if (!settings.success) {
    const first = settings.error.issues[0];
    throw new FailureError(
      "bad_request",
      `The grid can't be drawn as asked: ${first?.path.join(".")}: ${first?.message}. At least one weight other than 0 and one seed are needed.`,
    );
  }
  if (settings.data.prompts.length === 0)
    throw new FailureError("bad_request", "A grid needs at least one prompt, but none was given; name one with --prompt.");
  return settings.data;
}

async function chosenBaseModel(pathOrName: string, home: string): Promise<BaseModel> {
  const named = (await listBaseModels(home)).find(({ name, path }) => name === pathOrName || basename(path) === pathOrName);
  return named ?? readBaseModel(resolve(pathOrName));
}

async function findBaseModel({ home, loras }: GridChoice, recipes: readonly Recipe[]): Promise<BaseModel> {
  const models = await listBaseModels(home);
  const found = await Promise.all(recipes.map((recipe) => matchBaseModel(recipe, models)));
  for (const [index, model] of found.entries()) {
    if (model !== null) continue;
    const wanted = recipes[index]?.baseModel ?? null;
    const says =
      wanted === null
        ? "does not say on which base model it was trained"
        : `was trained on ${wanted}, which is not in models/Stable-diffusion of ${home}`;
    throw new FailureError("base_model_missing", `${basename(loras[index] ?? "")} ${says}; name the checkpoint with --base.`);
  }
  const [first, ...others] = found.filter((model) => model !== null);
  if (first === undefined || others.some(({ path }) => path !== first.path)) {
    throw new FailureError(
      "bad_request",
      "The LoRAs of one grid must share a base model, but these were trained on different ones; draw a grid for each, or name one with --base.",
    );
  }
  return first;
}

async function matchBaseModel(recipe: Recipe, models: readonly BaseModel[]): Promise<BaseModel | null> {
  const named = models.filter(({ name, path }) => recipe.baseModel !== null && [name, basename(path)].includes(basename(recipe.baseModel)));
  if (named.length === 1) return named[0] ?? null;
  if (recipe.baseModelShortHash === null) return named[0] ?? null;
  for (const model of named.length > 0 ? named : models) if ((await shortModelHash(model.path)) === recipe.baseModelShortHash) return model;
  return named[0] ?? null;
}

function labelled(loras: readonly string[], recipes: readonly Recipe[]): GridRequest["loras"] {
  const epochs = recipes.map(({ epoch }) => epoch);
  const known = epochs.every((epoch) => epoch !== null && Number.isInteger(epoch) && epoch > 0) && new Set(epochs).size === epochs.length;
  return loras.map((lora, index) => ({
    file: resolve(lora),
    label: basename(lora).replace(/\.safetensors$/i, ""),
    epoch: known ? (epochs[index] ?? index + 1) : index + 1,
  }));
}

function trainedSize(resolution: string | null, baseModel: BaseModel): [number, number] {
  const [width, height] = (resolution?.match(/\d+/g) ?? []).map((side) => Math.floor(Number(side) / 8) * 8);
  return width && height ? [width, height] : [baseModel.resolution, baseModel.resolution];
}

function clipSkipOf(recipe: Recipe | undefined, { kind }: BaseModel): number {
  const usual = kind === "sdxl" ? 2 : 1;
  const skip = recipe?.clipSkip ?? usual;
  return Number.isInteger(skip) && skip >= 1 && skip <= 12 ? skip : usual;
}
