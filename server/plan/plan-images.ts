import type { Dataset, DatasetImage, ProblemCode, Subset } from "../../protocol/dataset.js";
import type { PlanBucket, PlanImage } from "../../protocol/plan.js";
import type { Settings } from "../../protocol/settings.js";
import { compare } from "../dataset/list-folder.js";
import { isRegularisation } from "../dataset/regularisation.js";
import { captionLines } from "../dataset/tags.js";
import { type BucketRules, chooseBucket, makeBuckets } from "./buckets.js";
import { type CaptionRules, captionTokens } from "./caption-tokens.js";
import { regRepeats } from "./reg-repeats.js";
import { type SubsetShare, solveRepeats } from "./repeats.js";
import { sharesOf, solveShares } from "./shares.js";

/** A picture before it is known how often it is seen. `hasOwnCaption` is false when the trigger word or the folder's name stands in. */
export type PlacedImage = Omit<PlanImage, "repeats" | "heldOut"> & { phash: string | null; hasOwnCaption: boolean };

export type PlacedImages = {
  images: PlacedImage[];
  /** Pictures that can't be trained on, with the reason as a code or in words. */
  leftOut: { id: string; reason: string }[];
  /** Ids that a scan found to repeat another picture. */
  twins: Set<string>;
};

const UNTRAINABLE: readonly ProblemCode[] = ["not_an_image", "truncated", "too_large", "unsupported_format"];

/** Buckets, captions and token counts of all pictures that can be trained on, sorted by id. */
export function placeImages(dataset: Dataset, rules: BucketRules & CaptionRules & Pick<Settings, "subsetSettings">): PlacedImages {
  const buckets = makeBuckets(rules);
  const placed: PlacedImages = { images: [], leftOut: [], twins: new Set() };
  for (const image of [...dataset.images].sort((a, b) => compare(a.id, b.id))) {
    const reason = image.problems.find((code) => UNTRAINABLE.includes(code)) ?? (image.width * image.height === 0 ? "unreadable" : null);
    const choice = reason === null ? chooseBucket(image, rules, buckets) : null;
    if (choice === null || Math.min(...choice.bucket) === 0) {
      placed.leftOut.push({ id: image.id, reason: reason ?? "smaller than one bucket step, and bucketNoUpscale is on" });
      continue;
    }
    const subset = dataset.subsets.find(({ name }) => name === image.subset);
    const triggerWord = isRegularisation(image.subset) ? "" : dataset.triggerWord;
    const { caption, hasOwnCaption } = captionOf(image, {
      triggerWord,
      subset,
      everyLine: rulesOf(rules, image.subset).enableWildcard,
    });
    const { id, width, height, phash } = image;
    if (image.problems.includes("near_duplicate")) placed.twins.add(id);
    const marks = { ...(isRegularisation(image.subset) ? { isReg: true } : {}), ...(image.mask === undefined ? {} : { mask: image.mask }) };
    const tokens = captionTokens(caption, rulesOf(rules, image.subset));
    placed.images.push({ id, subset: image.subset, width, height, ...choice, caption, tokens, ...marks, phash, hasOwnCaption });
  }
  return placed;
}

/**
 * The pictures with the repeats of their subset, solved for the pictures that are trained on: by `subsetShares`, else in the proportion
 * of the folders' numbers. Regularisation pictures double an
 * epoch, so that with them each other picture is seen half as often in as many steps; those that it takes no more are left out.
 */
export function setRepeats(
  images: readonly (PlacedImage & { heldOut: boolean })[],
  subsets: readonly Subset[],
  { subsetShares, ...target }: { targetSteps: number; batchSize: number; epochs: number } & Pick<Settings, "subsetShares">,
): PlanImage[] {
  const trained = images.filter(({ heldOut, isReg }) => !heldOut && isReg !== true);
  const regs = images.filter(({ isReg }) => isReg === true);
  const shares = subsets
    .map(({ name, repeats }): SubsetShare => ({ name, repeats, images: trained.filter(({ subset }) => subset === name).length }))
    .filter((share) => share.images > 0);
  const own = regs.length > 0 ? { ...target, targetSteps: target.targetSteps / 2 } : target;
  const repeats = shares.some(({ name }) => name in subsetShares)
    ? solveShares(sharesOf(shares, subsetShares), (own.targetSteps * own.batchSize) / own.epochs)
    : solveRepeats(shares, own);
  const samples = trained.reduce((sum, { subset }) => sum + (repeats.get(subset) ?? 1), 0);
  const folderRepeats = new Map(subsets.map((subset) => [subset.name, subset.repeats]));
  const regCounts = regRepeats(
    regs.map(({ id, subset }) => ({ id, repeats: folderRepeats.get(subset) ?? 1 })),
    samples,
  );
  return images
    .filter(({ id, isReg }) => isReg !== true || regCounts.has(id))
    .map(({ phash: _phash, hasOwnCaption: _own, ...image }) => ({
      ...image,
      repeats: regCounts.get(image.id) ?? repeats.get(image.subset) ?? 1,
    }));
}

/** Buckets of the trained pictures, sorted by size; batches never mix buckets, so each is rounded up on its own. */
export function bucketTable(trained: readonly PlanImage[], batchSize: number): PlanBucket[] {
  const table = new Map<string, PlanBucket>();
  for (const { bucket, repeats } of trained) {
    const key = bucket.join("×");
    const row = table.get(key) ?? { size: bucket, images: 0, samples: 0, batches: 0 };
    const samples = row.samples + repeats;
    table.set(key, { size: bucket, images: row.images + 1, samples, batches: Math.ceil(samples / batchSize) });
  }
  return [...table.values()].sort((a, b) => a.size[0] - b.size[0] || a.size[1] - b.size[1]);
}

/** As kohya's trainer: the first line of the caption file, with wildcards all of them; without one the trigger word or the folder's class tokens. */
function captionOf(
  image: DatasetImage,
  { triggerWord, subset, everyLine }: { triggerWord: string; subset: Subset | undefined; everyLine: boolean },
): { caption: string; hasOwnCaption: boolean } {
  const lines = captionLines(image.caption ?? "").map((line) => line.trim());
  const caption = everyLine ? lines.join("\n") : lines[0];
  if (caption) return { caption, hasOwnCaption: true };
  return { caption: triggerWord || subset?.classTokens || "", hasOwnCaption: false };
}

function rulesOf(rules: CaptionRules & Pick<Settings, "subsetSettings">, subset: string): CaptionRules {
  const own = rules.subsetSettings[subset];
  return {
    captionPrefix: own?.captionPrefix ?? rules.captionPrefix,
    captionSuffix: own?.captionSuffix ?? rules.captionSuffix,
    enableWildcard: own?.enableWildcard ?? rules.enableWildcard,
    weightedCaptions: rules.weightedCaptions,
  };
}
