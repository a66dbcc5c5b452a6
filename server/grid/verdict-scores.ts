import { breakWeightOf, DRIFT_LIMIT, type Measure } from "./verdict-measures.js";

/** A measure with its smoothed scores, 0–1. `likeness` is relative to the best gain of the whole grid. */
export type ScoredMeasure = Measure & { likeness: number; flexibility: number; combined: number };

/** An epoch at the weight that suits it best. `maxWeight` is the highest drawn weight below the one that breaks. */
export type EpochScore = {
  epoch: number;
  best: ScoredMeasure;
  breakWeight: number | null;
  maxWeight: number;
  usable: boolean;
  row: ScoredMeasure[];
};

/**
 * Scores each epoch by the F-measure of likeness and flexibility over the weights that do not break; `beta` 2 weighs
 * likeness more, 1 both the same. Neighbour epochs differ by noise, so both axes are first smoothed 1-2-1 over epochs.
 */
export function scoreEpochs(measures: readonly Measure[], beta: number): EpochScore[] {
  const epochs = [...new Set(measures.map(({ epoch }) => epoch))];
  const bestGain = Math.max(...measures.map(({ gain }) => gain), 0);
  const likeness = smoothed(measures, epochs, ({ gain }) => (bestGain > 0 ? Math.max(0, gain) / bestGain : 0));
  const flexibility = smoothed(measures, epochs, flexibilityOf);
  const scored = measures.map((measure, index): ScoredMeasure => {
    const axes = { likeness: likeness[index] ?? 0, flexibility: flexibility[index] ?? 0 };
    return { ...measure, ...axes, combined: fMeasure(axes.flexibility, axes.likeness, beta) };
  });
  return epochs.flatMap((epoch) =>
    scoreEpoch(
      epoch,
      scored.filter((measure) => measure.epoch === epoch),
    ),
  );
}

/** F-measure with `beta` times as much weight on `recall`; 0 when both are 0. */
export function fMeasure(precision: number, recall: number, beta: number): number {
  const square = beta * beta;
  const divisor = square * precision + recall;
  return divisor === 0 ? 0 : ((1 + square) * precision * recall) / divisor;
}

function scoreEpoch(epoch: number, row: ScoredMeasure[]): EpochScore[] {
  const breakWeight = breakWeightOf(row);
  const usable = row.filter(({ weight }) => breakWeight === null || weight < breakWeight);
  const best = usable.length > 0 ? usable.reduce((a, b) => (b.combined > a.combined ? b : a)) : leastBroken(row);
  if (best === undefined) return [];
  const maxWeight = usable.at(-1)?.weight ?? best.weight;
  // What breaks at every weight must not win by its likeness.
  const combined = usable.length > 0 ? best.combined : 0;
  return [{ epoch, best: { ...best, combined }, breakWeight, maxWeight, usable: usable.length > 0, row }];
}

function leastBroken(row: readonly ScoredMeasure[]): ScoredMeasure | undefined {
  return [...row].sort((a, b) => brokenness(a) - brokenness(b) || a.weight - b.weight)[0];
}

/** How badly a measure breaks; only its order counts. */
export function brokenness({ broken, damaged, leaking, collapsed, drift }: Measure): number {
  return (broken?.what === "black" ? 10 : 0) + damaged + leaking + collapsed + Math.min(1, drift);
}

function flexibilityOf({ drift, damaged, leaking, kinLeaking, collapsed, copied }: Measure): number {
  const steady = 1 / (1 + (drift / DRIFT_LIMIT) ** 2);
  return steady * (1 - damaged) * (1 - leaking) * (1 - KIN_COST * kinLeaking) * (1 - collapsed) * (1 - COPY_COST * copied);
}

/** A copy is a good picture that was asked for by nobody. */
const COPY_COST = 0.5;
/** Nobody can call another figure of the same kind any more, but few ask for that while a LoRA is on. */
const KIN_COST = 0.2;

/** One value per measure: its own twice, those of the neighbour epochs at the same weight once. */
function smoothed(measures: readonly Measure[], epochs: readonly number[], value: (measure: Measure) => number): number[] {
  const at = new Map(measures.map((measure) => [`${measure.epoch} ${measure.weight}`, measure]));
  return measures.map((measure) => {
    const index = epochs.indexOf(measure.epoch);
    const neighbours = [epochs[index - 1], epochs[index + 1]].map((epoch) => at.get(`${epoch} ${measure.weight}`));
    // A black neighbour says nothing about this epoch.
    const alive = neighbours.filter((neighbour) => neighbour !== undefined && neighbour.broken?.what !== "black");
    const sum = alive.reduce((total, neighbour) => total + (neighbour ? value(neighbour) : 0), 2 * value(measure));
    return sum / (2 + alive.length);
  });
}
