import { Settings } from "../../../protocol/settings.js";
import type { SettingsImport } from "../../../protocol/settings-import.js";
import type { FileOption } from "./option.js";
import { isOn, isWhole } from "./translate.js";

/** sd-scripts' own defaults, where ours are others. */
const DEFAULTS: readonly (readonly [string, string, unknown])[] = [
  ["shuffle_caption", "shuffleCaption", false],
  ["keep_tokens", "keepTokens", 0],
  ["max_token_length", "maxTokenLength", 75],
  ["lr_scheduler", "lrScheduler", "constant"],
  ["network_dim", "networkDim", 4],
  ["unet_lr", "unetLr", 2e-6],
  ["text_encoder_lr", "textEncoderLr", 2e-6],
  ["mixed_precision", "mixedPrecision", "no"],
  ["save_precision", "savePrecision", "float"],
];
const BUCKETS: typeof DEFAULTS = [
  ["min_bucket_reso", "minBucketReso", 256],
  ["max_bucket_reso", "maxBucketReso", 1024],
  ["bucket_reso_steps", "bucketResoSteps", 64],
];

/** With what sd-scripts does where a file that describes a whole training is silent, so that the same training comes out here. */
export function withAssumed(report: SettingsImport, options: readonly FileOption[]): SettingsImport {
  const byName = new Map(options.map((option) => [option.name, option]));
  if (!isWhole(byName)) return report;
  const hasLength = ["max_train_steps", "max_train_epochs"].some((name) => byName.has(name));
  const length: typeof DEFAULTS = hasLength ? [] : [["max_train_steps", "targetSteps", 1600]];
  const buckets = isOn(byName.get("enable_bucket")?.value) ? BUCKETS : [];
  const refused = new Set(report.refused.map(({ option }) => option.replace(/^--/, "")));
  const missing = [...DEFAULTS, ...buckets, ...length, ...lycoris(byName, report)].filter(
    ([option, setting]) => Object.hasOwn(Settings.shape, setting) && !(setting in report.settings) && !refused.has(option),
  );
  return {
    ...report,
    settings: { ...report.settings, ...Object.fromEntries(missing.map(([, setting, value]) => [setting, value])) },
    taken: [...report.taken, ...missing.map(([option, setting, value]) => ({ option, line: null, setting, value, assumed: true }))],
  };
}

/** LyCORIS changes convolutions as it does the rest, unless a preset leaves them out. */
function lycoris(byName: ReadonlyMap<string, FileOption>, { settings }: SettingsImport): typeof DEFAULTS {
  const module = String(byName.get("network_module")?.value ?? "");
  const preset = String(byName.get("network_args.preset")?.value ?? "full");
  if (!/lycoris/i.test(module) || preset !== "full") return [];
  const { networkDim = 4, networkAlpha = 1 } = settings;
  return [
    ["network_args.conv_dim", "convDim", networkDim],
    ["network_args.conv_alpha", "convAlpha", networkAlpha],
  ];
}
