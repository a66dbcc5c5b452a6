import type { BaseModel, PlanWarning } from "../../protocol/plan.js";
import { type ResolvedSettings, Settings } from "../../protocol/settings.js";
import { OURS_ALONE } from "./kohya-names.js";

/** Settings that sd-scripts need not know, because they say nothing about a step. */
const NO_MATTER: ReadonlySet<string> = new Set([
  "subject",
  "engine",
  "heldOutImages",
  "heldOutPictures",
  "subsetShares",
  "grid",
  "textEncoder2Lr",
  "predictionType",
  "subsetSettings",
  "priorPreservationEvery",
]);

const DEFAULTS: Readonly<Record<string, unknown>> = Settings.parse({});

/** What sd-scripts would leave out of a plan that it is to train. */
export function engineWarnings(settings: ResolvedSettings, kind: BaseModel["kind"]): PlanWarning[] {
  if (settings.engine !== "kohya") return idleProcesses(settings);
  const alone = Object.entries(settings).filter(([key, value]) => OURS_ALONE.has(key) && !NO_MATTER.has(key) && value !== DEFAULTS[key]);
  const names = [
    ...alone.map(([key]) => key),
    // It knows fp8 alone, and not without mixed precision.
    ...(settings.baseWeights === "int8" || (settings.baseWeights === "fp8" && settings.mixedPrecision === "no") ? ["baseWeights"] : []),
    // sd-scripts takes masks from a folder of their own in another kind of data set.
    ...(settings.maskedLoss ? ["maskedLoss"] : []),
    // Its LoRA has one rate for both text encoders.
    ...(kind === "sdxl" && settings.textEncoder2Lr !== settings.textEncoderLr ? ["textEncoder2Lr"] : []),
    ...(settings.lrSchedulerMinLrRatio > 0 && settings.lrScheduler !== "cosine" ? ["lrSchedulerMinLrRatio"] : []),
  ];
  if (names.length === 0) return [];
  return [
    {
      code: "engine_limits",
      message: `sd-scripts has no option for ${names.join(", ")}, so it trains without ${names.length === 1 ? "it" : "them"}; choose the engine trainLora, or put ${names.length === 1 ? "it" : "them"} back.`,
      images: [],
    },
  ];
}

function idleProcesses({ numProcesses, batchSize, gradientAccumulationSteps }: ResolvedSettings): PlanWarning[] {
  const pictures = batchSize * gradientAccumulationSteps;
  if (numProcesses <= pictures) return [];
  const message = `A step has ${pictures === 1 ? "one picture" : `${pictures} pictures`} (batchSize × gradientAccumulationSteps), so ${numProcesses - pictures} of ${numProcesses} processes would have nothing to do; raise batchSize or lower numProcesses.`;
  return [{ code: "engine_limits", message, images: [] }];
}
