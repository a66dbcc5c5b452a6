import { isDeepStrictEqual } from "node:util";
import { stringify } from "smol-toml";
import type { BaseModel } from "../../../protocol/plan.js";
import type { ResolvedSettings } from "../../../protocol/settings.js";
import { KOHYA_NAME_OF, kohyaOption } from "../kohya-names.js";
import { importSettings } from "./import-settings.js";
import { networkArgs } from "./network-args.js";
import { OUR_SECTION } from "./read-tables.js";

export type ExportPlaces = {
  readonly baseModel: BaseModel;
  readonly outputName: string;
  readonly outputDir: string;
  readonly datasetConfig: string;
};

type Table = Record<string, unknown>;

/**
 * The settings as a config file of sd-scripts' train_network.py. What sd-scripts has no option for, or says less exactly, stands in a
 * section of its own that sd-scripts passes over, so that an import gives exactly these settings again.
 */
export function exportConfig(settings: ResolvedSettings, places: ExportPlaces, more: Table = {}): string {
  const sections = {
    model: modelOf(places.baseModel, settings),
    network: networkOf(settings),
    training: { ...trainingOf(settings, places.baseModel), ...WAYS, ...cachingOf(settings) },
    saving: savingOf(places, more),
  };
  const plain = importSettings(stringify(sections), "config.toml").settings;
  const ours = Object.entries(settings).filter(([key, value]) => !isDeepStrictEqual(plain[key], value));
  // In a table of its own within the section, because sd-scripts takes what stands directly in a section for its own options.
  return `${stringify({ ...sections, ...(ours.length > 0 && { [OUR_SECTION]: { settings: Object.fromEntries(ours) } }) })}\n`;
}

/** The program of sd-scripts that trains upon a base model of this kind. */
export function scriptOf({ kind }: BaseModel): string {
  return kind === "sdxl" ? "sdxl_train_network.py" : "train_network.py";
}

/** How sd-scripts is to work so that its steps and losses are those of the plan; each exists since its version 0.6 or is passed over. */
const WAYS: Table = { sdpa: true, max_data_loader_n_workers: 0, console_log_simple: true, enable_bucket: true };

function modelOf(base: BaseModel, { predictionType }: ResolvedSettings): Table {
  const prediction = predictionType === "auto" ? base.prediction : predictionType;
  return {
    pretrained_model_name_or_path: base.path,
    ...(base.kind === "sd2" && { v2: true }),
    ...(prediction === "v" && { v_parameterization: true }),
  };
}

function networkOf(settings: ResolvedSettings): Table {
  const network = trainedParts(settings);
  const kind = "networkType" in settings ? String(settings.networkType) : "lora";
  if (kind === "lora" || kind === "locon") return { network_module: "networks.lora", ...network };
  return { network_module: "lycoris.kohya", ...network };
}

/** sd-scripts reads a rate of 0 as "this part is trained, at 0"; only its own switches leave a part out. */
function trainedParts({ unetLr, textEncoderLr, networkWeights }: ResolvedSettings): Table {
  return {
    ...(textEncoderLr === 0 && { network_train_unet_only: true }),
    ...(unetLr === 0 && { network_train_text_encoder_only: true }),
    ...(networkWeights !== "" && { dim_from_weights: true }),
  };
}

function trainingOf(settings: ResolvedSettings, base: BaseModel): Table {
  const table: Table = {};
  const lists = new Map<string, string[]>();
  const extra = networkArgs(settings, base);
  if (extra.length > 0) lists.set("network_args", extra);
  for (const [key, value] of Object.entries(settings)) {
    const name = KOHYA_NAME_OF.get(key);
    if (name === undefined || key === "outputName") continue;
    const option = kohyaOption(name, value, settings);
    if (option === null) continue;
    const [list, inner] = option.name.split(".");
    if (inner !== undefined && list !== undefined) lists.set(list, [...(lists.get(list) ?? []), `${inner}=${String(option.value)}`]);
    else if (Array.isArray(option.value) && LISTS.has(option.name))
      lists.set(option.name, [...(lists.get(option.name) ?? []), ...option.value.map(String)]);
    else table[option.name] = option.value;
  }
  return { ...table, ...Object.fromEntries(lists) };
}

const LISTS: ReadonlySet<string> = new Set(["optimizer_args", "network_args"]);

/** sd-scripts refuses to cache latents of pictures that change from step to step. */
function cachingOf(settings: ResolvedSettings): Table {
  const isChanging = Reflect.get(settings, "colorAug") === true || Number(Reflect.get(settings, "randomCrops") ?? 0) > 0;
  return isChanging ? {} : { cache_latents: true };
}

function savingOf({ outputName, outputDir, datasetConfig }: ExportPlaces, more: Table): Table {
  return {
    output_name: outputName,
    output_dir: outputDir,
    dataset_config: datasetConfig,
    save_model_as: "safetensors",
    save_every_n_epochs: 1,
    ...more,
  };
}
