import type { SettingsImport } from "../../../protocol/settings-import.js";
import { checkSetting } from "./check-setting.js";
import type { FileOption } from "./option.js";

/**
 * Options whose meaning depends on others, said so that each setting comes from one option: one rate for both parts, a part that is not
 * trained, buckets that are off, old names of optimizers, the kind of the network.
 */
export function translate(options: readonly FileOption[], report: SettingsImport): FileOption[] {
  const byName = new Map(options.map((option) => [option.name, option]));
  return [processes, textEncoders, rates, parts, buckets, oldOptimizers, network].reduce(
    (found, step) => step(found, byName, report),
    [...options],
  );
}

type Step = (options: FileOption[], byName: ReadonlyMap<string, FileOption>, report: SettingsImport) => FileOption[];

/** There each of several processes has a batch of its own; here a batch is that of all together. */
const processes: Step = (options, byName) => {
  const processes = byName.get("num_processes");
  const count = Number(processes?.value ?? 1);
  if (processes === undefined || !Number.isInteger(count) || count < 2) return options;
  const batch = options.find(({ name }) => name === "train_batch_size" || name === "batch_size");
  if (batch === undefined) return [...options, { ...processes, name: "train_batch_size", shownAs: "num_processes", value: count }];
  const size = Number(batch.value) * count;
  const all = { ...batch, shownAs: `${batch.shownAs ?? batch.name} × num_processes`, value: size };
  return options.map((option) => (option === batch && Number.isInteger(size) ? all : option));
};

/** A list of rates is one for each text encoder. */
const textEncoders: Step = (options) =>
  options.flatMap((option): FileOption[] => {
    if (option.name !== "text_encoder_lr" || !Array.isArray(option.value)) return [option];
    const [first, second] = option.value;
    const others =
      second === undefined ? [] : [{ ...option, name: "textEncoder2Lr", shownAs: option.shownAs ?? option.name, value: second }];
    return [{ ...option, value: first ?? null }, ...others];
  });

/** learning_rate is what unet_lr and text_encoder_lr override. */
const rates: Step = (options, byName, report) => {
  const rate = byName.get("learning_rate");
  if (rate === undefined || rate.value === null) return options;
  const missing = ["unet_lr", "text_encoder_lr"].filter((name) => (byName.get(name)?.value ?? null) === null);
  const rest = options.filter((option) => option !== rate && !missing.includes(option.name));
  if (missing.length === 0) {
    const reason = "unet_lr and text_encoder_lr override it.";
    report.notNeeded.push({ option: rate.shownAs ?? rate.name, line: rate.line, reason });
  }
  return [...rest, ...missing.map((name) => ({ ...rate, name, shownAs: rate.shownAs ?? rate.name }))];
};

const parts: Step = (options, byName, report) => {
  const only = ["network_train_unet_only", "network_train_text_encoder_only"].filter((name) => isOn(byName.get(name)?.value));
  const zeroed: ReadonlySet<string> = new Set(only.map((name) => (name.includes("unet") ? "text_encoder_lr" : "unet_lr")));
  return options.flatMap((option): FileOption[] => {
    if (only.includes(option.name)) {
      const rate = option.name.includes("unet") ? "text_encoder_lr" : "unet_lr";
      return [{ ...option, name: rate, shownAs: option.shownAs ?? option.name, value: 0 }];
    }
    if (!zeroed.has(option.name)) return [option];
    report.notNeeded.push({ option: option.shownAs ?? option.name, line: option.line, reason: `${only.join(" and ")} overrides it.` });
    return [];
  });
};

/** Without enable_bucket sd-scripts crops every picture to the resolution: the one bucket that a square resolution then has. */
const buckets: Step = (options, byName, report) => {
  const enabled = byName.get("enable_bucket");
  const resolution = byName.get("resolution");
  if (resolution === undefined || isOn(enabled?.value) || !isWhole(byName)) return options;
  const limits = options.filter(({ name }) => BUCKET_LIMITS.has(name));
  if (enabled === undefined && limits.length > 0) return options;
  const side = squareSide(resolution);
  if (side === null) return options;
  for (const { name, shownAs, line } of limits)
    report.notNeeded.push({ option: shownAs ?? name, line, reason: "enable_bucket is off, so all pictures have the resolution's shape." });
  const spelt = enabled ?? { name: "enable_bucket", shownAs: "without enable_bucket", line: resolution.line, depth: resolution.depth };
  const rest = options.filter((option) => !BUCKET_LIMITS.has(option.name) && option !== enabled);
  const limit = (name: string): FileOption => ({ ...spelt, shownAs: spelt.shownAs ?? spelt.name, name, value: side });
  return [...rest, limit("min_bucket_reso"), limit("max_bucket_reso")];
};

const BUCKET_LIMITS: ReadonlySet<string> = new Set(["min_bucket_reso", "max_bucket_reso", "bucket_no_upscale"]);

function squareSide(resolution: FileOption): number | null {
  const texts = Array.isArray(resolution.value) ? resolution.value : String(resolution.value).split(/[,x×]/);
  const [width = Number.NaN, height = width] = texts.map(Number);
  return Number.isInteger(width) && width === height ? width : null;
}

const oldOptimizers: Step = (options) =>
  options.map((option) => {
    const optimizer = { use_8bit_adam: "AdamW8bit", use_lion_optimizer: "Lion" }[option.name];
    const type = { ...option, name: "optimizer_type", shownAs: option.shownAs ?? option.name };
    return optimizer !== undefined && isOn(option.value) ? { ...type, value: optimizer } : option;
  });

/** What LyCORIS and sd-scripts call the kind of network that module and options make. */
const network: Step = (options, byName, report) => {
  const module = byName.get("network_module");
  if (module === undefined) return options;
  const name = String(module.value).split(".").at(-1) ?? "";
  const spelt = module.shownAs ?? module.name;
  const kind = kindOf(String(module.value), byName);
  const checked = kind === null ? null : checkSetting("networkType", kind, { spelt, written: kind, line: module.line });
  if (checked?.ok && checked.value !== undefined) {
    report.settings.networkType = checked.value;
    report.taken.push({ option: spelt, line: module.line, setting: "networkType", value: checked.value, assumed: false });
    return options.filter((option) => option !== module && option.name !== "network_args.algo" && option.name !== "network_args.dora_wd");
  }
  if (kind === "lora") return options;
  const where = module.line === null ? "" : ` (line ${module.line})`;
  const message = `Expected ${spelt}${where} to be a kind of network that can be trained here, but got ${kind ?? name}; choose another or train it with sd-scripts.`;
  report.refused.push({ option: spelt, line: module.line, message });
  return options.filter((option) => option !== module);
};

function kindOf(module: string, byName: ReadonlyMap<string, FileOption>): string | null {
  const algo = String(byName.get("network_args.algo")?.value ?? "lora").toLowerCase();
  const name = module.split(".").at(-1) ?? "";
  if (name === "loha" || name === "lokr") return name;
  if (name === "lora") return (byName.get("network_args.conv_dim")?.value ?? null) === null ? "lora" : "locon";
  if (name !== "kohya" && name !== "locon" && name !== "locon_kohya") return null;
  if (algo === "loha" || algo === "lokr") return algo;
  if (algo !== "lora" && algo !== "locon") return null;
  return isOn(byName.get("network_args.dora_wd")?.value) ? "dora" : "locon";
}

/** True for a file that describes a whole training, so that its silence means sd-scripts' default. */
export function isWhole(byName: ReadonlyMap<string, unknown>): boolean {
  return byName.has("pretrained_model_name_or_path") || byName.has("network_module") || byName.has("LoRA_type");
}

export function isOn(value: unknown): boolean {
  return value === true || value === 1 || /^(true|1)$/i.test(String(value ?? ""));
}
