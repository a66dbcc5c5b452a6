import { z } from "zod";
import { buildFields } from "./build-settings.js";
import { captionFields } from "./caption-settings.js";
import { learningFields } from "./learning-settings.js";
import { lossFields } from "./loss-settings.js";
import { memoryFields } from "./memory-settings.js";
import { networkFields } from "./network-settings.js";
import { pictureFields } from "./picture-settings.js";

const Size = z.object({ width: z.int().min(64).max(4096), height: z.int().min(64).max(4096) });

/** What the drawn grid shows after each epoch; the no-LoRA column is always there and is not listed in `weights`. */
export const GridSettings = z.object({
  enabled: z.boolean().default(true),
  /** LoRA weights, the columns. */
  weights: z.array(z.number().min(-2).max(3)).min(1).max(24).default([0.4, 0.6, 0.8, 1, 1.2]),
  /** Prompts, the tabs. Empty: the plan writes some with and some without the trigger word. */
  prompts: z.array(z.string()).max(24).default([]),
  negativePrompt: z.string().default(""),
  seeds: z.array(z.int().nonnegative()).min(1).max(16).default([1]),
  sampler: z.enum(["ddim", "euler"]).default("ddim"),
  steps: z.int().min(1).max(150).default(20),
  cfgScale: z.number().min(1).max(30).default(7),
});
export type GridSettings = z.infer<typeof GridSettings>;

/**
 * What the user chose, in the glossary's names (kohya's option in brackets). `null` means "computed by the plan"
 * from the base model or the data set; the frozen plan holds no null.
 */
export const Settings = z.object({
  /** Name of the LoRA files (`output_name`); null: the data set's name. */
  outputName: z
    .string()
    // What a path, a prompt's tag or the values of an axis would take for something else; a hidden file is no LoRA.
    .regex(/^[^\\/:*?"<>|\s,=.][^\\/:*?"<>|,=\t\r\n]*$/, 'a file name without \\ / : * ? " < > | , = and without a dot in front')
    .nullable()
    .default(null),
  subject: z.enum(["character", "style", "concept"]).default("character"),
  /** Who trains: our trainer, or the user's own checkout of sd-scripts (SD_SCRIPTS_DIR) by the same plan. */
  engine: z.enum(["trainLora", "kohya"]).default("trainLora"),
  /** (accelerate's `num_processes`) GPUs of this machine that share each batch; unlike kohya's, batchSize is that of all together. */
  numProcesses: z.int().min(1).max(64).default(1),
  /** (`resolution`) pixels; null: the base model's own. */
  resolution: Size.nullable().default(null),
  /** (`min_bucket_reso`, `max_bucket_reso`, `bucket_reso_steps`) pixels; null: half and double the resolution, 64. */
  minBucketReso: z.int().positive().nullable().default(null),
  maxBucketReso: z.int().positive().nullable().default(null),
  bucketResoSteps: z.int().positive().nullable().default(null),
  bucketNoUpscale: z.boolean().default(false),
  /** Optimizer steps to aim at over the whole run; repeats follow from it. */
  targetSteps: z.int().min(1).max(1_000_000).default(2500),
  epochs: z.int().min(1).max(1000).default(10),
  batchSize: z.int().min(1).max(256).default(1),
  networkDim: z.int().min(1).max(1024).default(64),
  networkAlpha: z.number().positive().default(1),
  unetLr: z.number().nonnegative().default(2e-3),
  /** 0 leaves the text encoder alone: it gets no LoRA. null: 1e-3, for SDXL 0. */
  textEncoderLr: z.number().nonnegative().nullable().default(null),
  /** (second of `text_encoder_lr`) SDXL's second text encoder; 0 leaves it alone. */
  textEncoder2Lr: z.number().nonnegative().default(0),
  /** (`vae`) an autoencoder's file that takes the place of the base model's own; empty: its own. */
  vae: z.string().default(""),
  /** (`v_parameterization`) what the base model predicts; auto: as its file says. */
  predictionType: z.enum(["auto", "epsilon", "v"]).default("auto"),
  ...learningFields,
  ...lossFields,
  ...pictureFields,
  ...networkFields,
  ...memoryFields,
  mixedPrecision: z.enum(["no", "fp16", "bf16"]).nullable().default(null),
  savePrecision: z.enum(["float", "fp16", "bf16"]).default("fp16"),
  seed: z
    .int()
    .nonnegative()
    .max(2 ** 32 - 1)
    .default(42),
  ...captionFields,
  /** 1: last layer of the text encoder, 2: the one before; null: 1, for SDXL 2, as it was made. */
  clipSkip: z.int().min(1).max(12).nullable().default(null),
  /** null: the smallest of 75, 150, 225 that cuts no caption. */
  maxTokenLength: z
    .union([z.literal(75), z.literal(150), z.literal(225)])
    .nullable()
    .default(null),
  /** Images that are never trained on and measure each epoch; null: one of 12, at least 2, none below 12 images. */
  heldOutImages: z.int().nonnegative().nullable().default(null),
  ...buildFields,
  grid: GridSettings.prefault({}),
});
export type Settings = z.infer<typeof Settings>;

/** Settings after planning: every question is answered. */
export const ResolvedSettings = Settings.extend({
  outputName: z.string(),
  resolution: Size,
  minBucketReso: z.int().positive(),
  maxBucketReso: z.int().positive(),
  bucketResoSteps: z.int().positive(),
  mixedPrecision: z.enum(["no", "fp16", "bf16"]),
  keepTokens: z.int().nonnegative(),
  textEncoderLr: z.number().nonnegative().default(1e-3),
  clipSkip: z.int().min(1).max(12).default(1),
  convDim: z.int().nonnegative().default(0),
  maxTokenLength: z.union([z.literal(75), z.literal(150), z.literal(225)]),
  heldOutImages: z.int().nonnegative(),
});
export type ResolvedSettings = z.infer<typeof ResolvedSettings>;
