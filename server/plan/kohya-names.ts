/**
 * kohya's option names, and a few spellings of its dataset files, with ours. The first name of a setting is the one that is written on
 * export. A name with a dot stands inside a list of texts: `optimizer_args.weight_decay` is `optimizer_args = ["weight_decay=…"]`.
 */
export const KOHYA_NAMES: ReadonlyMap<string, string> = new Map([
  ["output_name", "outputName"],
  ["min_bucket_reso", "minBucketReso"],
  ["max_bucket_reso", "maxBucketReso"],
  ["bucket_reso_steps", "bucketResoSteps"],
  ["bucket_no_upscale", "bucketNoUpscale"],
  ["max_train_steps", "targetSteps"],
  ["target_steps", "targetSteps"],
  ["max_train_epochs", "epochs"],
  ["train_batch_size", "batchSize"],
  ["batch_size", "batchSize"],
  ["resolution", "resolution"],
  ["seed", "seed"],
  ["network_dim", "networkDim"],
  ["network_alpha", "networkAlpha"],
  ["unet_lr", "unetLr"],
  ["learning_rate", "unetLr"],
  ["text_encoder_lr", "textEncoderLr"],
  ["optimizer_type", "optimizer"],
  ["lr_scheduler", "lrScheduler"],
  ["lr_warmup_steps", "lrWarmupSteps"],
  ["optimizer_args.weight_decay", "weightDecay"],
  ["weight_decay", "weightDecay"],
  ["max_grad_norm", "maxGradNorm"],
  ["mixed_precision", "mixedPrecision"],
  ["save_precision", "savePrecision"],
  ["shuffle_caption", "shuffleCaption"],
  ["keep_tokens", "keepTokens"],
  ["clip_skip", "clipSkip"],
  ["max_token_length", "maxTokenLength"],
]);

/** Settings that sd-scripts has no option for; an export keeps them in a section of its own, which sd-scripts passes over. */
export const OURS_ALONE: ReadonlySet<string> = new Set(["subject", "heldOutImages", "grid"]);

/** A value as our settings hold it, where kohya's files write it in another way; others, wrong ones too, pass unchanged. */
export function kohyaValue(name: string, value: unknown): unknown {
  switch (name) {
    case "resolution":
      return sizeOf(value);
    case "lr_scheduler":
      // Warm-up is a setting of its own here, before either schedule.
      return value === "constant_with_warmup" ? "constant" : value;
    case "text_encoder_lr":
      return Array.isArray(value) && value.length === 1 ? value[0] : value;
    default:
      return value;
  }
}

/** 512, "512", "512,768" and [512, 768] are sizes. */
function sizeOf(value: unknown): unknown {
  const parts = typeof value === "string" ? value.split(/[,x×]/).map(Number) : Array.isArray(value) ? value : [value];
  const [width, height = width] = parts;
  const isSize = parts.length <= 2 && parts.every((part) => typeof part === "number" && Number.isFinite(part));
  return isSize ? { width, height } : value;
}
