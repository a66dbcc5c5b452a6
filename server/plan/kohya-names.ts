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
  ["network_args.algo", "networkType"],
  ["network_args.conv_dim", "convDim"],
  ["network_args.conv_alpha", "convAlpha"],
  ["network_args.block_dims", "blockDims"],
  ["network_args.block_alphas", "blockAlphas"],
  ["network_args.factor", "lokrFactor"],
  ["network_args.decompose_both", "decomposeBoth"],
  ["network_dropout", "networkDropout"],
  ["network_args.rank_dropout", "rankDropout"],
  ["network_args.module_dropout", "moduleDropout"],
  ["scale_weight_norms", "scaleWeightNorms"],
  ["network_args.loraplus_lr_ratio", "loraPlusRatio"],
  ["network_weights", "networkWeights"],
  ["unet_lr", "unetLr"],
  ["learning_rate", "unetLr"],
  ["text_encoder_lr", "textEncoderLr"],
  ["vae", "vae"],
  ["optimizer_type", "optimizer"],
  ["lr_scheduler", "lrScheduler"],
  ["lr_warmup_steps", "lrWarmupSteps"],
  ["optimizer_args.weight_decay", "weightDecay"],
  ["weight_decay", "weightDecay"],
  ["max_grad_norm", "maxGradNorm"],
  ["optimizer_args", "optimizerArgs"],
  ["lr_scheduler_num_cycles", "lrSchedulerNumCycles"],
  ["lr_scheduler_power", "lrSchedulerPower"],
  ["lr_scheduler_min_lr_ratio", "lrSchedulerMinLrRatio"],
  ["gradient_accumulation_steps", "gradientAccumulationSteps"],
  ["gradient_checkpointing", "gradientCheckpointing"],
  ["fp8_base_unet", "baseWeights"],
  ["fp8_base", "baseWeights"],
  ["loss_type", "lossType"],
  ["huber_c", "huberC"],
  ["huber_schedule", "huberSchedule"],
  ["min_snr_gamma", "minSnrGamma"],
  ["debiased_estimation_loss", "debiasedEstimation"],
  ["scale_v_pred_loss_like_noise_pred", "scaleVPredLossLikeNoisePred"],
  ["v_pred_like_loss", "vPredLikeLoss"],
  ["noise_offset", "noiseOffset"],
  ["noise_offset_random_strength", "noiseOffsetRandomStrength"],
  ["adaptive_noise_scale", "adaptiveNoiseScale"],
  ["multires_noise_iterations", "multiresNoiseIterations"],
  ["multires_noise_discount", "multiresNoiseDiscount"],
  ["ip_noise_gamma", "ipNoiseGamma"],
  ["ip_noise_gamma_random_strength", "ipNoiseGammaRandomStrength"],
  ["zero_terminal_snr", "zeroTerminalSnr"],
  ["min_timestep", "minTimestep"],
  ["max_timestep", "maxTimestep"],
  ["flip_aug", "flipAug"],
  ["random_crop", "randomCrops"],
  ["color_aug", "colorAug"],
  ["alpha_mask", "alphaMask"],
  ["masked_loss", "maskedLoss"],
  ["prior_loss_weight", "priorLossWeight"],
  ["mixed_precision", "mixedPrecision"],
  ["save_precision", "savePrecision"],
  ["shuffle_caption", "shuffleCaption"],
  ["keep_tokens", "keepTokens"],
  ["keep_tokens_separator", "keepTokensSeparator"],
  ["secondary_separator", "secondarySeparator"],
  ["caption_prefix", "captionPrefix"],
  ["caption_suffix", "captionSuffix"],
  ["caption_dropout_rate", "captionDropoutRate"],
  ["caption_dropout_every_n_epochs", "captionDropoutEveryNEpochs"],
  ["caption_tag_dropout_rate", "captionTagDropoutRate"],
  ["token_warmup_step", "tokenWarmupStep"],
  ["token_warmup_min", "tokenWarmupMin"],
  ["enable_wildcard", "enableWildcard"],
  ["weighted_captions", "weightedCaptions"],
  ["clip_skip", "clipSkip"],
  ["max_token_length", "maxTokenLength"],
]);

/** The name that is written for each of our settings. */
export const KOHYA_NAME_OF: ReadonlyMap<string, string> = new Map([...KOHYA_NAMES].reverse().map(([name, key]) => [key, name]));

/** Settings that sd-scripts has no option for; an export keeps them in a section of its own, which sd-scripts passes over. */
export const OURS_ALONE: ReadonlySet<string> = new Set([
  "subject",
  "textEncoder2Lr",
  "predictionType",
  "engine",
  "numProcesses",
  "heldOutImages",
  "heldOutPictures",
  "subsetShares",
  "grid",
  "emaDecay",
  "stopTextEncoderAt",
  "priorPreservation",
  "priorPreservationEvery",
  "subsetSettings",
  "commaChunks",
  "dynamicChunks",
]);

/** A value as our settings hold it, where kohya's files write it in another way; others, wrong ones too, pass unchanged. */
export function kohyaValue(name: string, value: unknown): unknown {
  switch (name) {
    case "resolution":
      return sizeOf(value);
    case "random_crop":
      // Four crops of each picture are kept; sd-scripts makes a new one each time and keeps none.
      return typeof value === "boolean" ? (value ? 4 : 0) : value;
    case "fp8_base":
    case "fp8_base_unet":
      return typeof value === "boolean" ? (value ? "fp8" : "full") : value;
    case "text_encoder_lr":
      return Array.isArray(value) && value.length === 1 ? value[0] : value;
    case "lr_scheduler":
      return value === "cosine_with_min_lr" ? "cosine" : value;
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

/**
 * What is written for a setting of ours under kohya's `name`; null when nothing is. The opposite of `kohyaValue`; what it can't say
 * exactly, an export says in our own words as well.
 */
export function kohyaOption(
  name: string,
  value: unknown,
  settings: Readonly<Record<string, unknown>>,
): { name: string; value: unknown } | null {
  // An empty text is sd-scripts' own default, but not everywhere where it is given.
  if (value === null || value === undefined || value === "") return null;
  switch (name) {
    case "resolution":
      return isSize(value) ? { name, value: `${value.width},${value.height}` } : null;
    case "unet_lr":
      return value === 0 ? null : { name, value };
    case "fp8_base_unet":
      // sd-scripts refuses it without mixed precision.
      return value === "fp8" && settings.mixedPrecision !== "no" ? { name, value: true } : null;
    case "random_crop":
      return { name, value: typeof value === "number" && value > 0 };
    case "text_encoder_lr":
      return value === 0 ? null : { name, value: [value] };
    case "lr_scheduler":
      return { name, value: scheduleOf(value, settings) };
    default:
      return isUnused(name, value, settings) ? null : { name, value: name === "network_args.algo" && value === "dora" ? "lora" : value };
  }
}

/** What sd-scripts and LyCORIS would take for something else than "not at all", or for nothing with this kind of network. */
function isUnused(name: string, value: unknown, { networkType, convDim }: Readonly<Record<string, unknown>>): boolean {
  const isOwn = networkType === "lora" || networkType === "locon";
  switch (name) {
    case "network_args.algo":
      return isOwn;
    case "network_args.block_dims":
    case "network_args.block_alphas":
      return true; // an export writes both together, a number for each block
    case "network_args.conv_dim":
    case "network_args.conv_alpha":
      return convDim === 0;
    case "network_args.factor":
    case "network_args.decompose_both":
      return networkType !== "lokr";
    case "network_args.loraplus_lr_ratio":
      return value === 1;
    default:
      return UNUSED_AT_0.has(name) && (value === 0 || value === "");
  }
}

const UNUSED_AT_0: ReadonlySet<string> = new Set([
  "network_dropout",
  "network_args.rank_dropout",
  "network_args.module_dropout",
  "scale_weight_norms",
  "network_weights",
  "adaptive_noise_scale",
  "v_pred_like_loss",
]);

/** sd-scripts stops at a warm-up of its constant schedule, and lets only one schedule end above zero. */
function scheduleOf(schedule: unknown, { lrWarmupSteps, lrSchedulerMinLrRatio }: Readonly<Record<string, unknown>>): unknown {
  if (schedule === "constant" && Number(lrWarmupSteps) > 0) return "constant_with_warmup";
  return schedule === "cosine" && Number(lrSchedulerMinLrRatio ?? 0) > 0 ? "cosine_with_min_lr" : schedule;
}

function isSize(value: unknown): value is { width: number; height: number } {
  return typeof value === "object" && value !== null && "width" in value && "height" in value;
}
