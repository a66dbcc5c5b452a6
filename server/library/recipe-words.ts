import type { LoraInspection } from "./inspect.js";
import { learningRateAtAlpha, type Recipe } from "./recipe.js";

/** A LoRA's recipe as plain sentences; what the file does not say is left out, and missing metadata is said once. */
export function recipeWords(facts: Omit<LoraInspection, "words" | "metadata">): string[] {
  const { recipe } = facts;
  return [
    networkWords(facts),
    baseWords(recipe),
    progressWords(recipe),
    learningWords(recipe),
    datasetWords(recipe),
    triggerWords(recipe),
    normWords(facts),
    hashWords(facts),
  ].filter((sentence) => sentence !== null);
}

function networkWords({ kind, dims, modules, dtypes, bytes, recipe }: Omit<LoraInspection, "words" | "metadata">): string {
  const dim = dims.length > 0 ? `dim ${dims.join("/")}` : "dim unknown";
  const alpha = recipe.networkAlpha === null ? "" : `, alpha ${figure(recipe.networkAlpha)}`;
  const text = modules.textEncoder === 0 ? "none in the text encoder" : `${modules.textEncoder} in the text encoder`;
  return `${kind} of ${dim}${alpha}: ${modules.unet} modules in the UNet, ${text}; ${dtypes.join("/")}, ${megabytes(bytes)}.`;
}

function baseWords({ baseModel, baseModelVersion, resolution, clipSkip }: Recipe): string {
  if (baseModel === null) return "The file does not say on which base model it was trained.";
  const version = baseModelVersion === null ? "" : ` (${baseModelVersion})`;
  const at = resolution === null ? "" : ` at ${resolution}`;
  const skip = clipSkip === null || clipSkip === 1 ? "" : `, clip skip ${clipSkip}`;
  return `Trained on ${baseModel}${version}${at}${skip}.`;
}

function progressWords({ epoch, epochs, step, maxSteps }: Recipe): string | null {
  if (epoch === null && step === null) return null;
  const epochWords = epoch === null ? "" : `Epoch ${epoch}${epochs === null ? "" : ` of ${epochs}`}`;
  const stepWords = step === null ? "" : `${epoch === null ? "Step" : ", step"} ${step}${maxSteps === null ? "" : ` of ${maxSteps}`}`;
  return `${epochWords}${stepWords}.`;
}

function learningWords(recipe: Recipe): string | null {
  const { unetLr, textEncoderLr, optimizer, lrScheduler, networkDim, networkAlpha, batchSize } = recipe;
  if (unetLr === null) return null;
  const text = textEncoderLr === null ? "" : `, of the text encoder ${figure(textEncoderLr)}`;
  const how = [optimizer?.replace(/\(.*$/s, "").split(".").at(-1), lrScheduler, batchSize === null ? null : `batch ${batchSize}`]
    .filter((word) => word)
    .join(", ");
  const translated =
    networkDim === null || networkAlpha === null || networkAlpha === networkDim || networkAlpha <= 0
      ? ""
      : ` At alpha ${networkDim} the same step would be ${[unetLr, textEncoderLr]
          .filter((rate) => rate !== null)
          .map((rate) => figure(learningRateAtAlpha(rate, networkAlpha, networkDim)))
          .join(" and ")}.`;
  return `Learning rate of the UNet ${figure(unetLr)}${text}${how ? ` (${how})` : ""}.${translated}`;
}

function datasetWords({ subsets }: Recipe): string | null {
  if (subsets.length === 0) return null;
  const images = subsets.reduce((sum, subset) => sum + subset.images, 0);
  return `${images} pictures: ${subsets.map((subset) => `${subset.name} (${subset.images} × ${subset.repeats})`).join(", ")}.`;
}

function triggerWords({ triggerCandidates, tags }: Recipe): string | null {
  if (tags.length === 0) return null;
  if (triggerCandidates.length === 0) return `No tag is in all captions; the most frequent is "${tags[0]?.tag}".`;
  return `In (almost) all captions, so perhaps the trigger word: ${triggerCandidates.map((tag) => `"${tag}"`).join(", ")}.`;
}

function normWords({ norms }: Omit<LoraInspection, "words" | "metadata">): string | null {
  if (norms === null) return null;
  if (!Number.isFinite(norms.total)) return "Its weights hold NaN or infinity: it would draw black pictures.";
  return `It changes the weights by ‖ΔW‖ = ${figure(norms.total)} (UNet ${figure(norms.unet)}, text encoder ${figure(norms.textEncoder)}).`;
}

function hashWords({ hashes }: Omit<LoraInspection, "words" | "metadata">): string {
  const short = hashes.model.slice(0, 12);
  if (hashes.matches === null) return `Hash ${short}; the file records none to compare with.`;
  return hashes.matches
    ? `Hash ${short}, as the file records it.`
    : `Hash ${short}, but the file records ${hashes.recordedModel?.slice(0, 12)}: its tensors were changed afterwards.`;
}

function figure(value: number): string {
  return value !== 0 && (Math.abs(value) < 0.01 || Math.abs(value) >= 1e5)
    ? value
        .toExponential(2)
        .replace(/\.?0+e/, "e")
        .replace("e+", "e")
    : String(Number(value.toPrecision(4)));
}

function megabytes(bytes: number): string {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1000)} KB`;
}
