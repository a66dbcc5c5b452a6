import { z } from "zod";

/** How a LoRA was made, as far as its kohya metadata (`ss_*`) tells; null: it does not say. */
export type Recipe = {
  outputName: string | null;
  baseModel: string | null;
  /** sha256 of the whole checkpoint, and the WebUI's old hash of 8 digits. */
  baseModelHash: string | null;
  baseModelShortHash: string | null;
  baseModelVersion: string | null;
  networkDim: number | null;
  networkAlpha: number | null;
  epoch: number | null;
  epochs: number | null;
  step: number | null;
  maxSteps: number | null;
  unetLr: number | null;
  textEncoderLr: number | null;
  optimizer: string | null;
  lrScheduler: string | null;
  batchSize: number | null;
  resolution: string | null;
  clipSkip: number | null;
  mixedPrecision: string | null;
  seed: number | null;
  subsets: { name: string; repeats: number; images: number }[];
  /** Most frequent tags; `share` of the captions that have the tag. A tag in (almost) all of them may be the trigger word. */
  tags: { tag: string; count: number; share: number }[];
  triggerCandidates: string[];
};

/** Reads a recipe out of a LoRA's metadata. Values that are missing or no sense become null; nothing throws. */
export function readRecipe(metadata: Readonly<Record<string, string>>): Recipe {
  const number = (key: string) => toNumber(metadata[key]);
  const text = (key: string) => toText(metadata[key]);
  const learningRate = number("ss_learning_rate");
  const subsets = readSubsets(metadata.ss_dataset_dirs);
  const tags = countTags(
    metadata.ss_tag_frequency,
    subsets.reduce((sum, subset) => sum + subset.images, 0),
  );
  return {
    outputName: text("ss_output_name"),
    baseModel: text("ss_sd_model_name"),
    baseModelHash: text("ss_new_sd_model_hash"),
    baseModelShortHash: text("ss_sd_model_hash"),
    baseModelVersion: text("ss_base_model_version"),
    networkDim: number("ss_network_dim"),
    networkAlpha: number("ss_network_alpha"),
    epoch: number("ss_epoch"),
    epochs: number("ss_num_epochs"),
    step: number("ss_steps"),
    maxSteps: number("ss_max_train_steps"),
    unetLr: number("ss_unet_lr") ?? learningRate,
    textEncoderLr: number("ss_text_encoder_lr") ?? learningRate,
    optimizer: text("ss_optimizer"),
    lrScheduler: text("ss_lr_scheduler"),
    batchSize: number("ss_total_batch_size") ?? number("ss_batch_size_per_device"),
    resolution: readResolution(text("ss_resolution")),
    clipSkip: number("ss_clip_skip"),
    mixedPrecision: text("ss_mixed_precision"),
    seed: number("ss_seed"),
    subsets,
    tags: tags.slice(0, MAX_TAGS),
    triggerCandidates: triggerCandidates(tags, text("modelspec.trigger_phrase")),
  };
}

/**
 * The learning rate that moves the weights as far at another alpha: with Adam it goes with 1/√alpha at the same dim
 * (LyCORIS paper, arXiv 2309.14859). 2e-3 at alpha 1 is 2.5e-4 at alpha 64.
 */
export function learningRateAtAlpha(learningRate: number, alpha: number, otherAlpha: number): number {
  return learningRate * Math.sqrt(alpha / otherAlpha);
}

const MAX_TAGS = 24;
/** A tag in this share of all captions is common enough to call the concept. */
const TRIGGER_SHARE = 0.95;
const MAX_TRIGGERS = 5;

function toNumber(value: string | undefined): number | null {
  const number = Number(value);
  return value === undefined || value.trim() === "" || !Number.isFinite(number) ? null : number;
}

function toText(value: string | undefined): string | null {
  return value === undefined || value === "" || value === "None" ? null : value;
}

function readResolution(value: string | null): string | null {
  const sides = value?.match(/\d+/g);
  return sides?.[0] === undefined ? value : `${sides[0]}×${sides[1] ?? sides[0]}`;
}

const DatasetDirs = z.record(z.string(), z.object({ n_repeats: z.number(), img_count: z.number() }));
const TagFrequency = z.record(z.string(), z.record(z.string(), z.number()));

function readSubsets(value: string | undefined): Recipe["subsets"] {
  const dirs = DatasetDirs.safeParse(parseJson(value));
  return dirs.success ? Object.entries(dirs.data).map(([name, dir]) => ({ name, repeats: dir.n_repeats, images: dir.img_count })) : [];
}

function countTags(value: string | undefined, images: number): Recipe["tags"] {
  const frequency = TagFrequency.safeParse(parseJson(value));
  if (!frequency.success) return [];
  const counts = new Map<string, number>();
  for (const tags of Object.values(frequency.data)) {
    for (const [tag, count] of Object.entries(tags)) counts.set(tag.trim(), (counts.get(tag.trim()) ?? 0) + count);
  }
  // Without image counts the most frequent tag stands for all captions.
  const captions = images > 0 ? images : Math.max(...counts.values());
  return [...counts].map(([tag, count]) => ({ tag, count, share: Math.min(1, count / captions) })).sort((a, b) => b.count - a.count);
}

// Booru tags that describe the picture instead of calling a concept.
const descriptive =
  /^(\d\+?(girl|boy|other)s?|solo|(simple|white|black|grey) background|looking at viewer|masterpiece|best quality|no humans)$/;

function triggerCandidates(tags: Recipe["tags"], phrase: string | null): string[] {
  const common = tags.filter(({ tag, share }) => share >= TRIGGER_SHARE && !descriptive.test(tag)).map(({ tag }) => tag);
  return [...new Set(phrase === null ? common : [phrase, ...common])].slice(0, MAX_TRIGGERS);
}

function parseJson(value: string | undefined): unknown {
  try {
    return JSON.parse(value ?? "null");
  } catch {
    // Foreign metadata may be cut; the rest of the recipe still counts.
    return null;
  }
}
