import { z } from "zod";
import { ResolvedSettings } from "./settings.js";

/** Raised whenever a plan of yesterday could not be trained as it was meant; the trainer refuses any other number. */
export const PLAN_VERSION = 1;

/** A checkpoint that can be trained upon. */
export const BaseModel = z.object({
  /** File name without extension, as the WebUI shows it. */
  name: z.string(),
  path: z.string(),
  kind: z.enum(["sd1", "sd2", "sdxl"]),
  /** What its UNet predicts; absent in plans of before it was looked at, where the trainer finds out itself. */
  prediction: z.enum(["epsilon", "v"]).optional(),
  /** Side of the square it was trained at, in pixels. */
  resolution: z.int().positive(),
  bytes: z.int().positive(),
});
export type BaseModel = z.infer<typeof BaseModel>;

const Pair = z.tuple([z.int().positive(), z.int().positive()]);

/** One picture as it will be trained. Sizes are [width, height] in pixels. */
export const PlanImage = z.object({
  /** Path below `dataset.root`, with `/`. */
  id: z.string(),
  subset: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
  bucket: Pair,
  /** Size after scaling to cover the bucket; the centre crop to `bucket` follows. */
  resized: Pair,
  /** Share of the resized pixels that the crop cuts off, 0–1. */
  cropLoss: z.number().min(0).max(1),
  repeats: z.int().positive(),
  caption: z.string(),
  /** CLIP tokens of the caption without BOS and EOS. */
  tokens: z.int().nonnegative(),
  /** Never trained on; measures the stable loss of each epoch. */
  heldOut: z.boolean(),
  /** A regularisation picture: seen as often as all others together, and weighed by priorLossWeight. */
  isReg: z.boolean().optional(),
  /** Its mask file, a path below `dataset.root`. */
  mask: z.string().optional(),
});
export type PlanImage = z.infer<typeof PlanImage>;

export const PlanBucket = z.object({
  size: Pair,
  /** Distinct pictures, and pictures × repeats. */
  images: z.int().nonnegative(),
  samples: z.int().nonnegative(),
  /** ceil(samples / batchSize): batches never mix buckets. */
  batches: z.int().nonnegative(),
});
export type PlanBucket = z.infer<typeof PlanBucket>;

export const PlanWarningCode = z.enum([
  "crop_loss",
  "caption_cut",
  "caption_missing",
  "few_images",
  "steps_off_target",
  "bucket_fragments",
  "upscaled",
  "no_held_out",
  "trigger_missing",
  "open_problems",
  "unknown_settings",
  "high_learning_rate",
  "low_learning_rate",
  "network_unsupported",
  "network_settings_unused",
  "engine_limits",
]);
export type PlanWarningCode = z.infer<typeof PlanWarningCode>;

export const PlanWarning = z.object({
  code: PlanWarningCode,
  message: z.string(),
  images: z.array(z.string()),
});
export type PlanWarning = z.infer<typeof PlanWarning>;

/** Everything a run needs, computed once by the server, shown to the user, frozen to plan.json and obeyed by the trainer. */
export const Plan = z.object({
  planVersion: z.literal(PLAN_VERSION),
  /** sha256 over the plan without `id` and `createdAt`, 16 hex digits. */
  id: z.string(),
  /** Milliseconds since 1970. */
  createdAt: z.int(),
  baseModel: BaseModel,
  dataset: z.object({ name: z.string(), root: z.string(), triggerWord: z.string() }),
  settings: ResolvedSettings,
  images: z.array(PlanImage),
  buckets: z.array(PlanBucket),
  stepsPerEpoch: z.int().positive(),
  totalSteps: z.int().positive(),
  /** Share of `dataset.images` × repeats over one epoch, i.e. samples per epoch. */
  samplesPerEpoch: z.int().positive(),
  /** Times one picture is seen over the whole run, on average. */
  exposuresPerImage: z.number().positive(),
  /** Most tokens in one caption. */
  maxCaptionTokens: z.int().nonnegative(),
  /** File names in the LoRA folder, one per epoch; the last epoch carries the bare name. */
  files: z.array(z.string()).min(1),
  /** Bytes that the run will write, LoRAs and state together. */
  diskBytes: z.int().nonnegative(),
  /** Prompts whose drift from the base model is measured: none has the trigger word. */
  genericPrompts: z.array(z.string()).min(1),
  warnings: z.array(PlanWarning),
});
export type Plan = z.infer<typeof Plan>;

/** Beside plan.json in the run's folder: where this run writes. Frozen at its start, so that a resumption goes to the same place. */
export const Run = z.object({
  id: z.string(),
  planId: z.string(),
  loraDir: z.string(),
  /** The plan's output name, or with `-2`, `-3` … when the folder already holds files of that name. */
  outputName: z.string(),
  files: z.array(z.string()),
  createdAt: z.int(),
  /** Epochs that were added to the plan's after the run had begun; `files` holds theirs too. */
  extraEpochs: z.int().positive().optional(),
  /** What all runs of a home share, such as latents. */
  cacheDir: z.string().optional(),
});
export type Run = z.infer<typeof Run>;
