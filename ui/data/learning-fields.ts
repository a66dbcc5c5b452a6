import { learningFields as schemas } from "../../protocol/learning-settings.js";
import type { SettingField } from "./setting-field.js";

/** How the settings of the optimizer and its schedule are asked for. */
export const learningFields: readonly SettingField[] = [
  { key: "optimizer", group: "network", kohya: "optimizer_type", kind: "choice", options: schemas.optimizer.unwrap().options },
  { key: "optimizerArgs", group: "network", kohya: "optimizer_args", kind: "words" },
  { key: "lrScheduler", group: "network", kohya: "lr_scheduler", kind: "choice", options: schemas.lrScheduler.unwrap().options },
  { key: "lrWarmupSteps", group: "network", kohya: "lr_warmup_steps", kind: "number", min: 0, step: "any" },
  { key: "lrSchedulerNumCycles", group: "network", kohya: "lr_scheduler_num_cycles", kind: "number", min: 1, step: 1 },
  { key: "lrSchedulerPower", group: "network", kohya: "lr_scheduler_power", kind: "number", min: 0, step: "any" },
  { key: "lrSchedulerMinLrRatio", group: "network", kohya: "lr_scheduler_min_lr_ratio", kind: "number", min: 0, max: 1, step: "any" },
  { key: "weightDecay", group: "network", kohya: "optimizer_args weight_decay", kind: "number", min: 0, step: "any" },
  { key: "maxGradNorm", group: "network", kohya: "max_grad_norm", kind: "number", min: 0, step: "any" },
  { key: "gradientAccumulationSteps", group: "run", kohya: "gradient_accumulation_steps", kind: "number", min: 1, step: 1 },
  { key: "emaDecay", group: "network", kohya: "", kind: "number", min: 0, max: 0.99999, step: "any" },
  { key: "stopTextEncoderAt", group: "network", kohya: "", kind: "number", min: 0, max: 1, step: "any" },
];
