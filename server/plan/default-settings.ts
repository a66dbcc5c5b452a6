import { FailureError } from "../../protocol/errors.js";
import type { BaseModel } from "../../protocol/plan.js";
import { type ResolvedSettings, Settings } from "../../protocol/settings.js";
import { wrongSetting } from "./wrong-setting.js";

export type Device = { kind: "cpu" | "cuda" | "mps"; bf16: boolean };

/** Settings without the answers that need the data set's pictures and captions. */
export type SettingsOfBase = Settings &
  Pick<
    ResolvedSettings,
    | "outputName"
    | "textEncoderLr"
    | "clipSkip"
    | "resolution"
    | "minBucketReso"
    | "maxBucketReso"
    | "bucketResoSteps"
    | "mixedPrecision"
    | "convDim"
  >;

/** Below this side, buckets 64 pixels apart would be too few to fit the pictures. */
const SMALL_RESOLUTION = 256;

/** What the user chose, checked and with the defaults of the contract. Throws `bad_settings` naming key, expectation and value. */
export function checkSettings(chosen: unknown): Settings {
  const parsed = Settings.safeParse(chosen);
  if (parsed.success) return parsed.data;
  throw wrongSetting(parsed.error, chosen);
}

/** Answers what follows from the base model and the device: sizes, precision and name. */
export function resolveForBase(
  settings: Settings,
  { baseModel, datasetName, device }: { baseModel: BaseModel; datasetName: string; device?: Device | undefined },
): SettingsOfBase {
  const resolution = settings.resolution ?? { width: baseModel.resolution, height: baseModel.resolution };
  const shorter = Math.min(resolution.width, resolution.height);
  const longer = Math.max(resolution.width, resolution.height);
  checkBlocks(settings, baseModel);
  const steps = settings.bucketResoSteps ?? (longer < SMALL_RESOLUTION ? 32 : 64);
  return {
    ...settings,
    outputName: settings.outputName ?? nameFrom(datasetName),
    resolution,
    // Most trainers of SDXL leave its text encoders alone, and it was made with their last but one layers.
    textEncoderLr: settings.textEncoderLr ?? (baseModel.kind === "sdxl" ? 0 : 1e-3),
    clipSkip: settings.clipSkip ?? (baseModel.kind === "sdxl" ? 2 : 1),
    minBucketReso: settings.minBucketReso ?? Math.max(steps, Math.floor(shorter / 2)),
    maxBucketReso: settings.maxBucketReso ?? 2 * longer,
    bucketResoSteps: steps,
    mixedPrecision: settings.mixedPrecision ?? precisionFor(device),
    convDim: settings.convDim ?? (settings.networkType === "locon" ? settings.networkDim : 0),
    // It averages instead of following a schedule; the trainer takes no other.
    lrScheduler: settings.optimizer === "AdamWScheduleFree" ? "constant" : settings.lrScheduler,
  };
}

/** SDXL's UNet has fewer blocks than that of Stable Diffusion 1 and 2. */
function checkBlocks(settings: Settings, { kind }: BaseModel): void {
  const blocks = kind === "sdxl" ? 23 : 25;
  for (const key of ["blockDims", "blockAlphas"] as const) {
    const items = settings[key].split(/[\s,;]+/).filter((item) => item !== "" && !item.includes("="));
    if (items.length !== 0 && items.length !== blocks)
      throw new FailureError(
        "bad_settings",
        `Expected ${key} to have ${blocks} numbers, one for each block of this base model, but got ${items.length}; give ${blocks}, or groups such as down=8 mid=16 up=8.`,
      );
  }
}

function precisionFor(device: Device | undefined): ResolvedSettings["mixedPrecision"] {
  if (device?.kind !== "cuda") return "no";
  return device.bf16 ? "bf16" : "fp16";
}

/** A data set's name as the name of files; LoRA names stand between `:` and `>` in prompts, and commas part tags. */
function nameFrom(datasetName: string): string {
  const plain = datasetName
    .normalize("NFC")
    .replace(/[\\/:*?"<>|,=\p{Cc}]/gu, " ")
    .replace(/\s+/g, " ")
    .replace(/^[. ]+|[. ]+$/g, "");
  if (plain !== "") return plain;
  throw new FailureError(
    "bad_settings",
    `Expected a name for the LoRA files, but the data set's name "${datasetName}" gives none; set outputName (output_name).`,
  );
}
