import { z } from "zod";

const words = z.string().max(1000);
const share = z.number().min(0).max(1);
const count = z.int().nonnegative();

/**
 * What one subset has otherwise than the settings say; each field as the setting of that name, and what is absent is as the settings
 * say (kohya's `[[datasets.subsets]]`).
 */
export const SubsetSettings = z
  .strictObject({
    shuffleCaption: z.boolean(),
    keepTokens: count,
    keepTokensSeparator: words,
    secondarySeparator: words,
    captionPrefix: words,
    captionSuffix: words,
    captionDropoutRate: share,
    captionDropoutEveryNEpochs: count,
    captionTagDropoutRate: share,
    enableWildcard: z.boolean(),
    flipAug: z.boolean(),
    randomCrops: count.max(64),
    colorAug: z.boolean(),
    alphaMask: z.boolean(),
  })
  .partial();
export type SubsetSettings = z.infer<typeof SubsetSettings>;

/** How pictures are changed before they are trained on: fields of Settings (kohya's option in brackets). */
export const pictureFields = {
  /** (`flip_aug`) each picture is seen mirrored half of the time. */
  flipAug: z.boolean().default(false),
  /** (`random_crop`) so many random crops of each picture take the place of the centre; their latents are kept too. 0: off. */
  randomCrops: z.int().min(0).max(64).default(0),
  /** (`color_aug`) now and then a slightly other hue or gamma; latents are then made anew in each step. */
  colorAug: z.boolean().default(false),
  /** By the subset's name, such as `10_zorp`. */
  subsetSettings: z.record(z.string(), SubsetSettings).default({}),
};
