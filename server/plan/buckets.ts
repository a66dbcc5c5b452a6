import { FailureError } from "../../protocol/errors.js";

/** A size in pixels, [width, height]. */
export type Size = [number, number];

/** kohya's bucket options: `resolution`, `min_bucket_reso`, `max_bucket_reso`, `bucket_reso_steps`, `bucket_no_upscale`; pixels. */
export type BucketRules = {
  resolution: { width: number; height: number };
  minBucketReso: number;
  maxBucketReso: number;
  bucketResoSteps: number;
  bucketNoUpscale: boolean;
};

/** The bucket of a picture, the size to which it is scaled first, and the share of that which the centre crop cuts off, 0–1. */
export type BucketChoice = { bucket: Size; resized: Size; cropLoss: number };

/**
 * kohya's list of buckets: a square, and for every width the tallest height of no more pixels than the resolution, with
 * their transposes, sorted by width and height. Not used with `bucketNoUpscale`.
 */
export function makeBuckets(rules: BucketRules): Size[] {
  checkBucketRules(rules);
  const { resolution, bucketResoSteps: step } = rules;
  const area = resolution.width * resolution.height;
  const smallest = Math.floor(rules.minBucketReso / step) * step;
  const largest = Math.ceil(rules.maxBucketReso / step) * step;
  const side = Math.floor(Math.sqrt(area) / step) * step;
  const found = new Map<string, Size>();
  const add = (width: number, height: number) => found.set(`${width}×${height}`, [width, height]);
  add(side, side);
  for (let width = smallest; width <= largest; width += step) {
    const height = Math.min(largest, Math.floor(Math.floor(area / width) / step) * step);
    if (height < smallest) continue;
    add(width, height);
    add(height, width);
  }
  return [...found.values()].sort(([aw, ah], [bw, bh]) => aw - bw || ah - bh);
}

/**
 * The bucket that kohya's trainer would choose: an exact fit, else the nearest ratio width / height, the first of equals.
 * With `bucketNoUpscale` the picture is only ever scaled down and its own size, rounded down, is the bucket.
 * `buckets` may hold the list of `makeBuckets` when many pictures are asked for.
 */
export function chooseBucket(picture: { width: number; height: number }, rules: BucketRules, buckets?: readonly Size[]): BucketChoice {
  const choice = rules.bucketNoUpscale ? shrinkOnly(picture, rules) : nearest(picture, buckets ?? makeBuckets(rules));
  const [[width, height], [resizedWidth, resizedHeight]] = [choice.bucket, choice.resized];
  return { ...choice, cropLoss: Math.max(0, 1 - (width * height) / (resizedWidth * resizedHeight)) };
}

/** Throws `bad_settings` for rules with which kohya's trainer would stop. */
export function checkBucketRules({ resolution, minBucketReso, maxBucketReso, bucketResoSteps, bucketNoUpscale }: BucketRules): void {
  const { width, height } = resolution;
  const refuse = (sentence: string) => {
    throw new FailureError("bad_settings", sentence);
  };
  if (bucketResoSteps % 8 !== 0)
    refuse(
      `Expected bucketResoSteps (bucket_reso_steps) to be a multiple of 8 pixels, as latents are, but got ${bucketResoSteps}; use 64, or 32 for small base models.`,
    );
  if (bucketResoSteps > Math.min(width, height))
    refuse(
      `Expected bucketResoSteps (bucket_reso_steps) of at most the resolution's shorter side ${Math.min(width, height)}, but got ${bucketResoSteps}; use a smaller step.`,
    );
  if (bucketNoUpscale) return;
  if (minBucketReso > Math.min(width, height))
    refuse(
      `Expected minBucketReso (min_bucket_reso) of at most the resolution's shorter side ${Math.min(width, height)}, but got ${minBucketReso}; lower it.`,
    );
  if (maxBucketReso < Math.max(width, height))
    refuse(
      `Expected maxBucketReso (max_bucket_reso) of at least the resolution's longer side ${Math.max(width, height)}, but got ${maxBucketReso}; raise it.`,
    );
  if (minBucketReso < bucketResoSteps)
    refuse(`Expected minBucketReso (min_bucket_reso) of at least bucketResoSteps ${bucketResoSteps}, but got ${minBucketReso}; raise it.`);
}

type Choice = { bucket: Size; resized: Size };

function nearest({ width, height }: { width: number; height: number }, buckets: readonly Size[]): Choice {
  const ratio = width / height;
  const bucket = buckets.find(([w, h]) => w === width && h === height) ?? nearestRatio(ratio, buckets);
  // A picture wider than its bucket is scaled to the bucket's height, and the other way round.
  const scale = ratio > bucket[0] / bucket[1] ? bucket[1] / height : bucket[0] / width;
  return { bucket, resized: [roundHalfUp(width * scale), roundHalfUp(height * scale)] };
}

function nearestRatio(ratio: number, buckets: readonly Size[]): Size {
  let best: Size | undefined;
  let smallest = Number.POSITIVE_INFINITY;
  for (const bucket of buckets) {
    const error = Math.abs(bucket[0] / bucket[1] - ratio);
    if (error >= smallest) continue;
    smallest = error;
    best = bucket;
  }
  if (best === undefined) throw new Error("no bucket to choose from");
  return best;
}

function shrinkOnly({ width, height }: { width: number; height: number }, { resolution, bucketResoSteps: step }: BucketRules): Choice {
  const area = resolution.width * resolution.height;
  const resized: Size = width * height > area ? shrunk(width / height, area, step) : [width, height];
  return { resized, bucket: [resized[0] - (resized[0] % step), resized[1] - (resized[1] % step)] };
}

/** Of two roundings to the step, by width and by height, the one that keeps the ratio better. */
function shrunk(ratio: number, area: number, step: number): Size {
  const toStep = (x: number) => roundHalfUp(x) - (roundHalfUp(x) % step);
  const idealWidth = Math.sqrt(area * ratio);
  const width = toStep(idealWidth);
  const heightOfWidth = toStep(width / ratio);
  const height = toStep(area / idealWidth);
  const widthOfHeight = toStep(height * ratio);
  const isByWidth = Math.abs(width / heightOfWidth - ratio) < Math.abs(widthOfHeight / height - ratio);
  return isByWidth ? [width, roundHalfUp(width / ratio)] : [roundHalfUp(height * ratio), height];
}

/** Python's int(x + 0.5) for positive x. */
function roundHalfUp(x: number): number {
  return Math.floor(x + 0.5);
}
