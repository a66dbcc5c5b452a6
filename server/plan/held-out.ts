import { bitsOf, type HashBits, hamming, SAME_PICTURE } from "../dataset/hamming.js";

/** A picture that may be held out. `hasTwin` says that a scan found it to repeat another one. */
export type Candidate = { id: string; phash: string | null; bucket: string; hasTwin: boolean };

/** How many pictures to hold out when nobody said so: one of 12, at least 2, and none of fewer than 12. */
export function defaultHeldOut(images: number): number {
  return images < 12 ? 0 : Math.max(2, Math.floor(images / 12));
}

/**
 * Ids of `count` pictures to hold out, as different from each other as possible: the most typical one first, then always the
 * one farthest from those chosen (by perceptual hash). A picture with a near-duplicate is passed over, because training
 * on its twin would make it look learnt; so is the only picture of a bucket, because its shape would not be trained at
 * all. Only when there is no other choice are these taken too. The same pictures give the same choice.
 */
export function chooseHeldOut(images: readonly Candidate[], count: number): Set<string> {
  const all = images.map((image) => ({ ...image, bits: image.phash === null ? null : bitsOf(image.phash) }));
  const left = new Map<string, number>();
  for (const { bucket } of all) left.set(bucket, (left.get(bucket) ?? 0) + 1);
  const twins = twinsAmong(all);
  // Before the first choice the most typical picture scores highest, afterwards the one farthest from all chosen ones.
  let scores = new Map(all.map((image) => [image, -all.reduce((sum, other) => sum + distance(image, other), 0)]));
  const chosen = new Set<string>();
  while (chosen.size < count) {
    const open = all.filter(({ id }) => !chosen.has(id));
    const inPlenty = open.filter(({ bucket }) => (left.get(bucket) ?? 0) > 1);
    const alone = inPlenty.filter(({ id }) => !twins.has(id));
    const next = highest([alone, inPlenty, open].find((group) => group.length > 0) ?? [], scores);
    if (next === undefined) break;
    const isFirst = chosen.size === 0;
    scores = new Map(all.map((image) => [image, Math.min(isFirst ? FAR : (scores.get(image) ?? FAR), distance(image, next))]));
    chosen.add(next.id);
    left.set(next.bucket, (left.get(next.bucket) ?? 0) - 1);
  }
  return chosen;
}

type Hashed = Candidate & { bits: HashBits | null };

const FAR = 64;

function twinsAmong(images: readonly Hashed[]): Set<string> {
  const twins = new Set(images.filter(({ hasTwin }) => hasTwin).map(({ id }) => id));
  for (const [index, image] of images.entries()) {
    for (let i = index + 1; i < images.length; i++) {
      const other = images[i];
      if (other === undefined || distance(image, other) > SAME_PICTURE) continue;
      twins.add(image.id);
      twins.add(other.id);
    }
  }
  return twins;
}

/** The first of those with the highest score. */
function highest(group: readonly Hashed[], scores: ReadonlyMap<Hashed, number>): Hashed | undefined {
  const scoreOf = (image: Hashed) => scores.get(image) ?? Number.NEGATIVE_INFINITY;
  return group.reduce<Hashed | undefined>(
    (best, image) => (best === undefined || scoreOf(image) > scoreOf(best) ? image : best),
    undefined,
  );
}

function distance(a: Hashed, b: Hashed): number {
  if (a === b) return 0;
  return a.bits === null || b.bits === null ? FAR : hamming(a.bits, b.bits);
}
