import { createHash } from "node:crypto";
import type { Dataset } from "../../protocol/dataset.js";
import { FailureError } from "../../protocol/errors.js";
import { type BaseModel, PLAN_VERSION, Plan, type PlanImage } from "../../protocol/plan.js";
import { ResolvedSettings, type Settings } from "../../protocol/settings.js";
import { checkSettings, type Device, resolveForBase } from "./default-settings.js";
import { diskBytes } from "./disk.js";
import { chooseHeldOut, defaultHeldOut } from "./held-out.js";
import type { WebuiVersion } from "./network-warnings.js";
import { bucketTable, type PlacedImages, placeImages, setRepeats } from "./plan-images.js";
import { genericPrompts, gridPrompts } from "./prompts.js";
import { saveNames } from "./save-names.js";
import { tokenLengthFor } from "./tokens.js";
import { planWarnings } from "./warnings.js";

export type PlanInput = {
  dataset: Dataset;
  baseModel: BaseModel;
  /** As the user gave them; what is absent takes the contract's defaults. */
  settings: { readonly [Key in keyof Settings]?: Settings[Key] | undefined };
  /** What will train; without it, full precision is planned. */
  device?: Device | undefined;
  /** Names in the user's settings file that mean nothing here; they become a warning. */
  unknownSettings?: readonly string[] | undefined;
  /** The connected WebUI, which a kind of network may be too new for. */
  webui?: WebuiVersion | null | undefined;
  /** Milliseconds since 1970. */
  now: number;
};

/**
 * The frozen description of a run: which pictures, in which buckets, how often, how many steps, which files. Equal input
 * gives an equal plan with the same id, whatever `now` is.
 * Throws `bad_settings` (key, expectation and value in the sentence) and `dataset_empty` when no picture can be trained on.
 */
export function makePlan({ dataset, baseModel, settings: chosen, device, unknownSettings = [], webui = null, now }: PlanInput): Plan {
  const base = resolveForBase(checkSettings(chosen), { baseModel, datasetName: dataset.name, device });
  const placed = placeImages(dataset, base);
  if (placed.images.every(({ isReg }) => isReg === true)) throw noPictures(dataset, placed);
  const heldOut = heldOutOf(placed, base);
  const images = setRepeats(
    placed.images.map((image) => ({ ...image, heldOut: heldOut.has(image.id) })),
    dataset.subsets,
    { ...base, batchSize: base.batchSize * base.gradientAccumulationSteps },
  );
  const own = images.filter(({ isReg }) => isReg !== true);
  const settings = ResolvedSettings.parse({
    ...base,
    keepTokens: base.keepTokens ?? (dataset.triggerWord === "" ? 0 : 1),
    maxTokenLength: base.maxTokenLength ?? tokenLengthFor(mostTokens(images)),
    heldOutImages: heldOut.size,
    grid: { ...base.grid, prompts: base.grid.prompts.length > 0 ? base.grid.prompts : gridPrompts(own, dataset.triggerWord) },
  });
  return freeze({ dataset, baseModel, settings, images, placed, unknownSettings, webui, now });
}

type Parts = {
  dataset: Dataset;
  baseModel: BaseModel;
  settings: ResolvedSettings;
  images: PlanImage[];
  placed: PlacedImages;
  unknownSettings: readonly string[];
  webui: WebuiVersion | null;
  now: number;
};

function freeze({ dataset, baseModel, settings, images, placed, unknownSettings, webui, now }: Parts): Plan {
  const trained = images.filter(({ heldOut }) => !heldOut);
  const buckets = bucketTable(trained, settings.batchSize);
  const samplesPerEpoch = trained.reduce((sum, { repeats }) => sum + repeats, 0);
  const batches = buckets.reduce((sum, bucket) => sum + bucket.batches, 0);
  const stepsPerEpoch = Math.ceil(batches / settings.gradientAccumulationSteps);
  const own = images.filter(({ isReg }) => isReg !== true);
  const ownTrained = own.filter(({ heldOut }) => !heldOut);
  const ownSamples = ownTrained.reduce((sum, { repeats }) => sum + repeats, 0);
  const plan: Omit<Plan, "warnings" | "id" | "createdAt"> = {
    planVersion: PLAN_VERSION,
    baseModel,
    dataset: { name: dataset.name, root: dataset.root, triggerWord: dataset.triggerWord },
    settings,
    images,
    buckets,
    stepsPerEpoch,
    totalSteps: stepsPerEpoch * settings.epochs,
    samplesPerEpoch,
    exposuresPerImage: (ownSamples * settings.epochs) / ownTrained.length,
    maxCaptionTokens: mostTokens(images),
    files: saveNames(settings.outputName, settings.epochs),
    diskBytes: diskBytes(baseModel, settings, settings.grid.prompts.length),
    genericPrompts: genericPrompts(own, dataset.triggerWord),
  };
  const warnings = planWarnings({
    ...plan,
    problems: dataset.problems,
    placed,
    unknownSettings: [...unknownSettings, ...namesNothing(dataset, settings)],
    webui,
  });
  const id = createHash("sha256")
    .update(JSON.stringify({ ...plan, warnings }))
    .digest("hex")
    .slice(0, 16);
  return Plan.parse({ ...plan, warnings, id, createdAt: now });
}

function heldOutOf(
  { images: all, twins }: PlacedImages,
  { heldOutImages, heldOutPictures }: Pick<Settings, "heldOutImages" | "heldOutPictures">,
): Set<string> {
  const images = all.filter(({ isReg }) => isReg !== true);
  const named = images.filter(({ id }) => heldOutPictures.includes(id));
  const count = named.length > 0 ? named.length : (heldOutImages ?? defaultHeldOut(images.length));
  if (count >= images.length && count > 0) {
    throw new FailureError(
      "bad_settings",
      `Expected heldOutImages to leave pictures to train on, but got ${count} of ${images.length}; hold out fewer.`,
    );
  }
  if (named.length > 0) return new Set(named.map(({ id }) => id));
  const candidates = images.map(({ id, phash, bucket }) => ({ id, phash, bucket: bucket.join("×"), hasTwin: twins.has(id) }));
  return chooseHeldOut(candidates, count);
}

/** What the settings say of subsets and pictures that the data set does not have any more. */
function namesNothing({ subsets, images }: Dataset, { subsetShares, heldOutPictures }: ResolvedSettings): string[] {
  const gone = Object.keys(subsetShares).filter((name) => !subsets.some((subset) => subset.name === name));
  const lost = heldOutPictures.filter((id) => !images.some((image) => image.id === id));
  return [...gone.map((name) => `subsetShares "${name}"`), ...lost.map((id) => `heldOutPictures "${id}"`)];
}

function mostTokens(images: readonly PlanImage[]): number {
  return images.reduce((most, { tokens }) => Math.max(most, tokens), 0);
}

function noPictures({ root, images }: Dataset, { leftOut }: PlacedImages): FailureError {
  const which = leftOut
    .slice(0, 5)
    .map(({ id, reason }) => `${id} (${reason})`)
    .join(", ");
  return new FailureError(
    "dataset_empty",
    `Expected pictures to train on in ${root}, but none of its ${images.length} can be used: ${which}; replace them or choose another data set.`,
  );
}
