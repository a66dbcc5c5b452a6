import type { Problem } from "../../protocol/dataset.js";
import type { Plan, PlanImage, PlanWarning } from "../../protocol/plan.js";
import type { ResolvedSettings } from "../../protocol/settings.js";
import { tagKey } from "../../protocol/tag-key.js";
import { splitTags } from "../dataset/tags.js";
import { engineWarnings } from "./engine-warnings.js";
import { networkWarnings, type WebuiVersion } from "./network-warnings.js";
import type { PlacedImages } from "./plan-images.js";

/** A plan without its warnings, and what was left on the way to it. */
export type WarningInput = Omit<Plan, "warnings" | "id" | "createdAt"> & {
  problems: readonly Problem[];
  placed: PlacedImages;
  unknownSettings: readonly string[];
  webui: WebuiVersion | null;
};

// Shares and counts beyond which a user should look at it.
const CROP_LOSS = 0.08;
const FEW_IMAGES = 15;
const OFF_TARGET = 0.1;
const FRAGMENTS = 0.05;
const UPSCALE = 1.1;
// Twice what the community's recipe has: LR 2e-3 at alpha 1.
const HIGH_LEARNING_RATE = 4e-3;
const ADAM_LIKE: readonly ResolvedSettings["optimizer"][] = ["AdamW", "AdamW8bit", "AdamWScheduleFree"];
const FINDS_RATE: readonly ResolvedSettings["optimizer"][] = ["Prodigy", "DAdaptAdam"];
const LOW_FACTOR = 0.1;

/** What a user should know before an hour is spent, each with what to do about it. */
export function planWarnings(input: WarningInput): PlanWarning[] {
  const rules = [
    openProblems,
    captionsMissing,
    captionsCut,
    triggerMissing,
    fewImages,
    noHeldOut,
    cropLosses,
    upscaled,
    stepsOffTarget,
    fragments,
    highLearningRate,
    lowLearningRate,
    unknownSettings,
  ];
  const found = rules.map((rule) => rule(input)).filter((warning) => warning !== null);
  return [...found, ...networkWarnings(input.settings, input.webui), ...engineWarnings(input.settings, input.baseModel.kind)];
}

type Rule = PlanWarning | null;

function openProblems({ problems, placed }: WarningInput): Rule {
  const open = problems.filter(({ severity }) => severity !== "info");
  if (open.length === 0 && placed.leftOut.length === 0) return null;
  const listed = open.map(({ code, images }) => `${code} (${images.length})`).join(", ");
  const left = placed.leftOut
    .map(({ id, reason }) => `${id} (${reason})`)
    .slice(0, 5)
    .join(", ");
  const leftOut = left === "" ? "" : ` Left out of the training: ${left}${placed.leftOut.length > 5 ? " …" : ""}.`;
  const advice = open.some(({ fixable }) => fixable) ? "fix them first (Fix, or dataset fix)" : "look at the pictures first";
  const images = [...new Set([...open.flatMap((problem) => problem.images), ...placed.leftOut.map(({ id }) => id)])];
  return {
    code: "open_problems",
    message: `The data set has open problems: ${listed || "unusable pictures"}; ${advice}, then plan again.${leftOut}`,
    images,
  };
}

function captionsMissing({ placed, dataset }: WarningInput): Rule {
  const images = placed.images.filter(({ hasOwnCaption }) => !hasOwnCaption).map(({ id }) => id);
  if (images.length === 0) return null;
  const instead =
    dataset.triggerWord === ""
      ? "the folder's name stands in where it has one, else nothing"
      : `the trigger word "${dataset.triggerWord}" stands in`;
  return {
    code: "caption_missing",
    message: `${pictures(images.length, "has", "have")} no caption, so ${instead}; write captions, or everything in the picture will be learnt as the subject.`,
    images,
  };
}

function captionsCut({ images, settings }: WarningInput): Rule {
  const cut = images.filter(({ tokens }) => tokens > settings.maxTokenLength).map(({ id }) => id);
  if (cut.length === 0) return null;
  const longest = Math.max(...images.map(({ tokens }) => tokens));
  const advice =
    settings.maxTokenLength === 225
      ? "shorten them"
      : `raise maxTokenLength (max_token_length) to ${longest <= 150 ? 150 : 225}, or shorten them`;
  return {
    code: "caption_cut",
    message: `${captions(cut.length)} last tags beyond ${settings.maxTokenLength} tokens (the longest has ${longest}); ${advice}.`,
    images: cut,
  };
}

function triggerMissing({ images, dataset }: WarningInput): Rule {
  const { triggerWord } = dataset;
  if (triggerWord === "")
    return {
      code: "trigger_missing",
      message:
        "The data set has no trigger word, so prompts can't call the subject by name; set one (dataset fix --trigger) and plan again.",
      images: [],
    };
  const without = images
    .filter(({ caption, isReg }) => isReg !== true && !splitTags(caption).some((tag) => tagKey(tag) === tagKey(triggerWord)))
    .map(({ id }) => id);
  if (without.length === 0) return null;
  return {
    code: "trigger_missing",
    message: `${pictures(without.length, "lacks", "lack")} the trigger word "${triggerWord}" in the caption; let Fix put it first.`,
    images: without,
  };
}

function fewImages({ images }: WarningInput): Rule {
  const trained = images.filter(({ heldOut, isReg }) => !heldOut && isReg !== true).length;
  if (trained >= FEW_IMAGES) return null;
  return {
    code: "few_images",
    message: `Only ${pictures(trained, "is", "are")} trained on; 30 varied pictures are enough for a character and 50 to 300 are best, so add some if you can.`,
    images: [],
  };
}

function noHeldOut({ settings }: WarningInput): Rule {
  if (settings.heldOutImages > 0) return null;
  return {
    code: "no_held_out",
    message:
      "No picture is held out, so the verdict can't tell learning from copying; with 12 pictures or more, leave heldOutImages to the plan.",
    images: [],
  };
}

function cropLosses({ images }: WarningInput): Rule {
  const lossy = images.filter(({ cropLoss }) => cropLoss > CROP_LOSS);
  if (lossy.length === 0) return null;
  const worst = lossy.reduce((a, b) => (b.cropLoss > a.cropLoss ? b : a));
  return {
    code: "crop_loss",
    message: `${pictures(lossy.length, "loses", "lose")} more than ${percent(CROP_LOSS)} at the edges to fit a bucket (most: ${worst.id}, ${percent(worst.cropLoss)}); crop them yourself where the subject stands at the edge, or use a smaller bucketResoSteps.`,
    images: lossy.map(({ id }) => id),
  };
}

function upscaled({ images }: WarningInput): Rule {
  const factor = ({ width, resized }: PlanImage) => resized[0] / width;
  const small = images.filter((image) => factor(image) > UPSCALE);
  if (small.length === 0) return null;
  const most = Math.max(...small.map(factor));
  return {
    code: "upscaled",
    message: `${pictures(small.length, "is", "are")} smaller than the bucket and would be enlarged up to ${most.toFixed(1)} times, which teaches blur; find larger versions, or lower the resolution.`,
    images: small.map(({ id }) => id),
  };
}

function stepsOffTarget({ settings, totalSteps, samplesPerEpoch }: WarningInput): Rule {
  const off = totalSteps / settings.targetSteps - 1;
  if (Math.abs(off) <= OFF_TARGET) return null;
  return {
    code: "steps_off_target",
    message: `The run takes ${totalSteps} steps where ${settings.targetSteps} were asked for (${off > 0 ? "+" : ""}${percent(off)}), because ${samplesPerEpoch} pictures an epoch come in whole repeats and whole batches; change epochs, or accept it.`,
    images: [],
  };
}

function fragments({ buckets, stepsPerEpoch, samplesPerEpoch, settings }: WarningInput): Rule {
  const ideal = Math.ceil(Math.ceil(samplesPerEpoch / settings.batchSize) / settings.gradientAccumulationSteps);
  if (stepsPerEpoch <= ideal * (1 + FRAGMENTS)) return null;
  const partial = buckets.filter(({ samples }) => samples % settings.batchSize !== 0).length;
  return {
    code: "bucket_fragments",
    message: `${partial} of ${buckets.length} buckets don't fill their last batch of ${settings.batchSize}, so an epoch takes ${stepsPerEpoch} steps instead of ${ideal}; lower batchSize, or plan fewer epochs so that repeats grow.`,
    images: [],
  };
}

function highLearningRate({ settings }: WarningInput): Rule {
  const { unetLr, networkAlpha, networkDim } = settings;
  if (!ADAM_LIKE.includes(settings.optimizer)) return null;
  // With Adam a LoRA of alpha a at rate r moves like one of alpha 1 at r × √a (LyCORIS paper, appendix B.1).
  const atAlpha1 = unetLr * Math.sqrt(networkAlpha);
  if (atAlpha1 <= HIGH_LEARNING_RATE) return null;
  const atDim = unetLr * Math.sqrt(networkAlpha / networkDim);
  return {
    code: "high_learning_rate",
    message: `A learning rate of ${short(unetLr)} at alpha ${networkAlpha} moves as fast as ${short(atAlpha1)} at alpha 1 or ${short(atDim)} at alpha ${networkDim}, more than twice the usual (2e-3 at alpha 1); lower unetLr to ${short(2e-3 / Math.sqrt(networkAlpha))}.`,
    images: [],
  };
}

function lowLearningRate({ settings: { optimizer, unetLr, textEncoderLr } }: WarningInput): Rule {
  if (!FINDS_RATE.includes(optimizer) || Math.max(unetLr, textEncoderLr) >= LOW_FACTOR) return null;
  return {
    code: "low_learning_rate",
    message: `${optimizer} finds the learning rate itself and takes unetLr ${short(unetLr)} and textEncoderLr ${short(textEncoderLr)} as factors on it, with which it would hardly learn; set both to 1.`,
    images: [],
  };
}

function unknownSettings({ unknownSettings: names }: WarningInput): Rule {
  if (names.length === 0) return null;
  return {
    code: "unknown_settings",
    message: `These settings mean nothing here and are not used: ${names.join(", ")}; check their spelling, or ignore this if they belong to another trainer.`,
    images: [],
  };
}

function pictures(count: number, one: string, many: string): string {
  return count === 1 ? `1 picture ${one}` : `${count} pictures ${many}`;
}

function captions(count: number): string {
  return count === 1 ? "1 caption loses its" : `${count} captions lose their`;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

/** Two digits, as rates are written: 2.5e-4. */
function short(rate: number): string {
  return Number(rate.toPrecision(2)).toExponential();
}
