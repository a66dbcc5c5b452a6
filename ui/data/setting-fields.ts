import { captionFields } from "./caption-fields.js";
import { learningFields } from "./learning-fields.js";
import { lossFields } from "./loss-fields.js";
import { memoryFields } from "./memory-fields.js";
import { networkFields } from "./network-fields.js";
import { pictureFields } from "./picture-fields.js";
import type { FieldKey, SettingField, SettingGroup } from "./setting-field.js";

/** Every setting of a run except the grid's, which has its own form, and the base model, which is asked for first. */
export const settingFields: readonly SettingField[] = [
  { key: "outputName", group: "run", kohya: "output_name", kind: "text" },
  { key: "targetSteps", group: "run", kohya: "max_train_steps", kind: "number", min: 1, step: 1 },
  { key: "epochs", group: "run", kohya: "max_train_epochs", kind: "number", min: 1, max: 1000, step: 1 },
  { key: "batchSize", group: "run", kohya: "train_batch_size", kind: "number", min: 1, max: 256, step: 1 },
  { key: "engine", group: "run", kohya: "", kind: "choice", options: ["trainLora", "kohya"] },
  { key: "numProcesses", group: "run", kohya: "num_processes", kind: "number", min: 1, max: 64, step: 1 },
  { key: "seed", group: "run", kohya: "seed", kind: "number", min: 0, step: 1 },
  { key: "resolution", group: "pictures", kohya: "resolution", kind: "size" },
  { key: "minBucketReso", group: "pictures", kohya: "min_bucket_reso", kind: "number", min: 1, step: 1 },
  { key: "maxBucketReso", group: "pictures", kohya: "max_bucket_reso", kind: "number", min: 1, step: 1 },
  { key: "bucketResoSteps", group: "pictures", kohya: "bucket_reso_steps", kind: "number", min: 1, step: 1 },
  { key: "bucketNoUpscale", group: "pictures", kohya: "bucket_no_upscale", kind: "switch" },
  { key: "unetLr", group: "network", kohya: "unet_lr", kind: "number", min: 0, step: "any" },
  { key: "textEncoderLr", group: "network", kohya: "text_encoder_lr", kind: "number", min: 0, step: "any" },
  { key: "textEncoder2Lr", group: "network", kohya: "text_encoder_lr", kind: "number", min: 0, step: "any" },
  { key: "networkDim", group: "network", kohya: "network_dim", kind: "number", min: 1, max: 1024, step: 1 },
  { key: "networkAlpha", group: "network", kohya: "network_alpha", kind: "number", min: 0, step: "any" },
  ...networkFields,
  ...pictureFields,
  ...learningFields,
  ...captionFields,
  { key: "maxTokenLength", group: "captions", kohya: "max_token_length", kind: "choice", options: [75, 150, 225] },
  { key: "clipSkip", group: "captions", kohya: "clip_skip", kind: "number", min: 1, max: 12, step: 1 },
  ...lossFields,
  { key: "predictionType", group: "numbers", kohya: "v_parameterization", kind: "choice", options: ["auto", "epsilon", "v"] },
  { key: "vae", group: "numbers", kohya: "vae", kind: "text" },
  { key: "mixedPrecision", group: "numbers", kohya: "mixed_precision", kind: "choice", options: ["no", "fp16", "bf16"] },
  { key: "savePrecision", group: "numbers", kohya: "save_precision", kind: "choice", options: ["float", "fp16", "bf16"] },
  ...memoryFields,
  { key: "heldOutImages", group: "measure", kohya: "", kind: "number", min: 0, step: 1 },
];

export const settingGroups: readonly SettingGroup[] = ["run", "pictures", "network", "captions", "loss", "numbers", "memory", "measure"];

/** The few that are always in sight. */
export const mainSettings: readonly FieldKey[] = [
  "targetSteps",
  "epochs",
  "batchSize",
  "resolution",
  "unetLr",
  "textEncoderLr",
  "networkDim",
  "networkAlpha",
];

export function fieldOf(key: FieldKey): SettingField | undefined {
  return settingFields.find((field) => field.key === key);
}
