import type { SettingField } from "./setting-field.js";

/** How the settings of captions are asked for. */
export const captionFields: readonly SettingField[] = [
  { key: "shuffleCaption", group: "captions", kohya: "shuffle_caption", kind: "switch" },
  { key: "keepTokens", group: "captions", kohya: "keep_tokens", kind: "number", min: 0, step: 1 },
  { key: "keepTokensSeparator", group: "captions", kohya: "keep_tokens_separator", kind: "text" },
  { key: "secondarySeparator", group: "captions", kohya: "secondary_separator", kind: "text" },
  { key: "captionPrefix", group: "captions", kohya: "caption_prefix", kind: "text" },
  { key: "captionSuffix", group: "captions", kohya: "caption_suffix", kind: "text" },
  { key: "captionDropoutRate", group: "captions", kohya: "caption_dropout_rate", kind: "number", min: 0, max: 1, step: "any" },
  { key: "captionDropoutEveryNEpochs", group: "captions", kohya: "caption_dropout_every_n_epochs", kind: "number", min: 0, step: 1 },
  { key: "captionTagDropoutRate", group: "captions", kohya: "caption_tag_dropout_rate", kind: "number", min: 0, max: 1, step: "any" },
  { key: "tokenWarmupStep", group: "captions", kohya: "token_warmup_step", kind: "number", min: 0, step: "any" },
  { key: "tokenWarmupMin", group: "captions", kohya: "token_warmup_min", kind: "number", min: 0, step: 1 },
  { key: "enableWildcard", group: "captions", kohya: "enable_wildcard", kind: "switch" },
  { key: "weightedCaptions", group: "captions", kohya: "weighted_captions", kind: "switch" },
  { key: "commaChunks", group: "captions", kohya: "", kind: "switch" },
  { key: "dynamicChunks", group: "captions", kohya: "", kind: "switch" },
];
