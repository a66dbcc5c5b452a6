import { hamming, SAME_PICTURE } from "../dataset/fingerprint.js";

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
  const chosen: Candidate[] = [];
  const left = new Map<string, number>();
  for (const { bucket } of images) left.set(bucket, (left.get(bucket) ?? 0) + 1);
  const twins = twinsAmong(images);
  while (chosen.length < count) {
    const open = images.filter((image) => !chosen.includes(image));
    const inPlenty = open.filter(({ bucket }) => (left.get(bucket) ?? 0) > 1);
    const alone = inPlenty.filter((image) => !twins.has(image.id));
    const next = pick([alone, inPlenty, open].find((group) => group.length > 0) ?? [], chosen, images);
    if (next === undefined) break;
    chosen.push(next);
    left.set(next.bucket, (left.get(next.bucket) ?? 0) - 1);
  }
  return new Set(chosen.map(({ id }) => id));
}

function twinsAmong(images: readonly Candidate[]): Set<string> {
  const twins = new Set<string>();
  for (const [index, image] of images.entries()) {
    if (image.hasTwin) twins.add(image.id);
    for (const other of images.slice(index + 1)) {
      if (distance(image, other) > SAME_PICTURE) continue;
      twins.add(image.id);
      twins.add(other.id);
    }
  }
  return twins;
}

/** The first choice is the picture nearest to all others, each later one the farthest from the chosen; the first of equals. */
function pick(group: readonly Candidate[], chosen: readonly Candidate[], all: readonly Candidate[]): Candidate | undefined {
  const score = (image: Candidate): number =>
    chosen.length === 0 ? -all.reduce((sum, other) => sum + distance(image, other), 0) : Math.min(...chosen.map((other) => distance(image, other)));
  let best: Candidate | undefined;
  let highest = Number.NEGATIVE_INFINITY;
  for (const image of group) {
    const value = score(image);
    if (value <= highest) continue;
    highest = value;
    best = image;
  }
  return best;
}

const FAR = 64;

function distance(a: Candidate, b: Candidate): number {
  if (a === b) return 0;
  return a.phash === null || b.phash === null ? FAR : hamming(a.phash, b.phash);
}
