import { FailureError } from "../../protocol/errors.js";

/** A subset with the pictures that are trained on, and the share of all samples that it should be, 0–1. */
export type WantedShare = { name: string; images: number; share: number };

/** What missing the target by all of it costs, in shares: ten per cent of the steps weigh as much as one percentage point of a share. */
const TARGET_WEIGHT = 0.1;
/** After so many combinations the best one so far is taken; only dozens of subsets have more. */
const MOST_COMBINATIONS = 500_000;

/**
 * Whole repeats, at least 1 each, whose samples come nearest to the shares and to `samples` an epoch: the largest deviation of a
 * share plus a tenth of the relative deviation from `samples` is least. Of equals the one with fewer samples is taken.
 */
export function solveShares(subsets: readonly WantedShare[], samples: number): Map<string, number> {
  const rounded = subsets.map(({ images, share }) => Math.max(1, Math.round((share * samples) / images)));
  const start = climb(subsets, rounded, samples);
  const best = search(subsets, start, samples);
  return new Map(subsets.map(({ name }, index) => [name, best[index] ?? 1]));
}

/** How far repeats are from the shares and from the samples that were wanted; 0 is exact. */
export function shareCost(subsets: readonly WantedShare[], repeats: readonly number[], samples: number): number {
  const given = subsets.map(({ images }, index) => images * (repeats[index] ?? 1));
  const total = given.reduce((sum, count) => sum + count, 0);
  const farthest = subsets.reduce((most, { share }, index) => Math.max(most, Math.abs((given[index] ?? 0) / total - share)), 0);
  return farthest + TARGET_WEIGHT * Math.abs(total / samples - 1);
}

/**
 * Shares of all subsets, which add up to 1, from the percents that were given for some. Throws `bad_settings` when they are more than
 * 100 together or leave nothing for a subset without one.
 */
export function sharesOf(subsets: readonly { name: string; images: number }[], percents: Readonly<Record<string, number>>): WantedShare[] {
  const given = subsets.reduce((sum, { name }) => sum + (percents[name] ?? 0), 0);
  const others = subsets.filter(({ name }) => percents[name] === undefined);
  const left = 100 - given;
  if (left < -0.5 || (others.length > 0 && left <= 0)) {
    const rest =
      others.length > 0 ? `less than 100 % together, to leave some for ${others.map(({ name }) => name).join(", ")}` : "100 % together";
    throw new FailureError("bad_settings", `Expected the shares of the subsets to be ${rest}, but they are ${given} %; lower one.`);
  }
  const otherImages = others.reduce((sum, { images }) => sum + images, 0);
  const whole = others.length > 0 ? 100 : given;
  return subsets.map(({ name, images }) => ({
    name,
    images,
    share: (percents[name] ?? (left * images) / otherImages) / whole,
  }));
}

/** Steps of one repeat up or down as long as one of them helps. */
function climb(subsets: readonly WantedShare[], from: readonly number[], samples: number): number[] {
  let best = [...from];
  for (;;) {
    const neighbours = best.flatMap((repeats, index) =>
      [repeats - 1, repeats + 1].filter((other) => other >= 1).map((other) => best.with(index, other)),
    );
    const next = neighbours.reduce((one, other) => (isBetter(subsets, other, one, samples) ? other : one), best);
    if (next === best) return best;
    best = next;
  }
}

/**
 * The best of all combinations that can be better than `known`. Such a one has every share within `known`'s cost and its total within ten
 * times that, which leaves few numbers for each subset.
 */
function search(subsets: readonly WantedShare[], known: readonly number[], samples: number): number[] {
  const cost = shareCost(subsets, known, samples);
  const slack = cost / TARGET_WEIGHT;
  const most = (1 + slack) * samples + 1e-9;
  const ranges = subsets.map(({ images, share }) => {
    const low = Math.ceil((Math.max(0, share - cost) * Math.max(0, 1 - slack) * samples) / images - 1e-9);
    const high = Math.floor((Math.min(1, share + cost) * most) / images + 1e-9);
    return { images, low: Math.max(1, low), high: Math.max(1, high) };
  });
  let best = [...known];
  let tried = 0;
  const tryAll = (chosen: readonly number[], total: number): void => {
    const range = ranges[chosen.length];
    if (range === undefined) {
      tried++;
      if (isBetter(subsets, chosen, best, samples)) best = [...chosen];
      return;
    }
    for (let repeats = range.low; repeats <= range.high && tried < MOST_COMBINATIONS; repeats++) {
      const sum = total + repeats * range.images;
      // One repeat each is always allowed, however far it is from the target.
      if (sum > most && repeats > 1) break;
      tryAll([...chosen, repeats], sum);
    }
  };
  tryAll([], 0);
  return best;
}

function isBetter(subsets: readonly WantedShare[], one: readonly number[], other: readonly number[], samples: number): boolean {
  const difference = shareCost(subsets, one, samples) - shareCost(subsets, other, samples);
  if (Math.abs(difference) > 1e-12) return difference < 0;
  const total = (repeats: readonly number[]) => subsets.reduce((sum, { images }, index) => sum + images * (repeats[index] ?? 1), 0);
  return total(one) < total(other);
}
