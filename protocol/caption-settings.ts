import { z } from "zod";

/** A short text such as a separator or a prefix. */
const words = z.string().max(1000).default("");

/** What happens to captions on their way into a step: fields of Settings, in kohya's sense and order. */
export const captionFields = {
  /** (`shuffle_caption`) */
  shuffleCaption: z.boolean().default(true),
  /** (`keep_tokens`) tags at the head of a caption that shuffling leaves in place; null: 1 with a trigger word, else 0. */
  keepTokens: z.int().nonnegative().nullable().default(null),
  /** (`keep_tokens_separator`) such as `|||`: what stands before it stays at the head, what stands after a second one at the end. */
  keepTokensSeparator: words,
  /** (`secondary_separator`) such as `;;;`: becomes a comma after shuffling, so that its tags stay together. */
  secondarySeparator: words,
  /** (`caption_prefix`, `caption_suffix`) put before and after every caption, with a space between. */
  captionPrefix: words,
  captionSuffix: words,
  /** (`caption_dropout_rate`, `caption_dropout_every_n_epochs`) how often a step sees no caption at all; 0: never. */
  captionDropoutRate: z.number().min(0).max(1).default(0),
  captionDropoutEveryNEpochs: z.int().nonnegative().default(0),
  /** (`caption_tag_dropout_rate`) how often a tag that is not kept is left out. */
  captionTagDropoutRate: z.number().min(0).max(1).default(0),
  /** (`token_warmup_step`, `token_warmup_min`) the tags after keepTokens come in one by one over so many steps, or so large a share. */
  tokenWarmupStep: z.number().nonnegative().default(0),
  tokenWarmupMin: z.int().nonnegative().default(1),
  /** (`enable_wildcard`) `{a|b}` is one of its parts, and of a caption's lines one is taken instead of the first. */
  enableWildcard: z.boolean().default(false),
  /** (`weighted_captions`) `(tag:1.2)` weighs, as in the WebUI. */
  weightedCaptions: z.boolean().default(false),
  /** A full chunk of 75 tokens ends after a comma among its last 20, as in the WebUI; off, as kohya: wherever it is full. */
  commaChunks: z.boolean().default(false),
  /** Only as many chunks as a batch's longest caption needs, as in the WebUI; off, as kohya: always maxTokenLength. */
  dynamicChunks: z.boolean().default(false),
};
