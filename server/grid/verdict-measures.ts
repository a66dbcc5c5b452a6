import type { CellFlag, JudgedCell } from "../../protocol/grid.js";
import type { Evaluation } from "../../protocol/trainer.js";

/** The measured losses of one epoch, as a job keeps them. Epoch 0 is the base model. */
export type EpochEvaluation = Omit<Evaluation, "weight"> & { epoch: number; atWeights: Evaluation[] };

/** Why a weight can't be used, most serious first. */
export type Break = { what: "black" | "damage" | "leak" | "collapse" | "drift"; flags: CellFlag[]; cells: number; of: number };

/** One epoch at one weight. */
export type Measure = {
  epoch: number;
  weight: number;
  /** 1 − loss / loss of the base model, on held-out pictures or, where none are held out, on training pictures. */
  gain: number;
  /** The same on training pictures alone. */
  trainGain: number;
  /** Drift in units of the base model's own loss on the same pictures. */
  drift: number;
  /** Shares of the cells, 0–1. */
  damaged: number;
  /** Leaks among prompts that have nothing to do with the concept, and among those of its kind without the trigger word. */
  leaking: number;
  kinLeaking: number;
  collapsed: number;
  copied: number;
  broken: Break | null;
};

export type MeasureInput = {
  evaluations: readonly EpochEvaluation[];
  judgedCells: readonly JudgedCell[];
  weights: readonly number[];
  triggerPromptIndexes: readonly number[];
  /** Prompts without the trigger word that ask for the same kind of thing; see prompt-kinds.ts. */
  kinPromptIndexes?: readonly number[];
};

/** A LoRA moves prompts that have nothing to do with it by at most this share of the base model's own loss. */
export const DRIFT_LIMIT = 0.22;

/** Every epoch at every weight, epochs ascending; null when the base model itself was not measured. */
export function measureGrid(input: MeasureInput): { measures: Measure[]; heldOut: boolean } | null {
  const base = input.evaluations.find(({ epoch }) => epoch === 0);
  if (base === undefined) return null;
  const heldOut = base.heldOutLoss !== null;
  const epochs = input.evaluations.filter(({ epoch }) => epoch > 0).sort((a, b) => a.epoch - b.epoch);
  const weights = usableWeights(input.weights);
  const drawn = (epoch: number, weight: number) => cellsAt(input.judgedCells, epoch, weight).length > 0;
  const anyDrawn = input.judgedCells.some(({ epoch }) => epoch > 0);
  const measures = epochs.flatMap((evaluation) =>
    weights
      // In a grid that is not finished, what was not drawn yet must not win because nothing bad was seen in it.
      .filter((weight) => !anyDrawn || drawn(evaluation.epoch, weight))
      .map((weight) => measureOne(evaluation, weight, { base, heldOut, input })),
  );
  return { measures, heldOut };
}

/** The measure that is not lower than which weight: the weight from which on at least half of the drawn weights break. */
export function breakWeightOf(row: readonly Measure[]): number | null {
  const sorted = [...row].sort((a, b) => a.weight - b.weight);
  const at = sorted.findIndex(({ broken }, index) => {
    const rest = sorted.slice(index);
    // One bad cell at a low weight is chance when everything above it is fine.
    return broken !== null && rest.filter((measure) => measure.broken !== null).length * 2 >= rest.length;
  });
  return sorted[at]?.weight ?? null;
}

function usableWeights(weights: readonly number[]): number[] {
  const positive = weights.filter((weight) => weight > 0);
  return [...new Set(positive.length > 0 ? positive : weights)].sort((a, b) => a - b);
}

type Context = { base: EpochEvaluation; heldOut: boolean; input: MeasureInput };

function measureOne(evaluation: EpochEvaluation, weight: number, { base, heldOut, input }: Context): Measure {
  const at = nearest(evaluation, weight);
  const baseLoss = heldOut ? (base.heldOutLoss ?? base.trainLoss) : base.trainLoss;
  const cells = cellsAt(input.judgedCells, evaluation.epoch, weight);
  const kin = cells.filter((cell) => input.kinPromptIndexes?.includes(cell.prompt));
  const foreign = cells.filter((cell) => !input.triggerPromptIndexes.includes(cell.prompt) && !kin.includes(cell));
  const measure = {
    epoch: evaluation.epoch,
    weight,
    trainGain: finite(1 - at.trainLoss / base.trainLoss, -1),
    gain: gainAt(evaluation, at, { base, heldOut }),
    drift: finite(at.drift / baseLoss, Number.POSITIVE_INFINITY),
    damaged: share(cells, ...damageFlags),
    leaking: share(foreign, "leak"),
    kinLeaking: share(kin, "leak"),
    collapsed: share(cells, "collapse"),
    copied: share(cells, "copy"),
  };
  // Drift grows with the weight, so what was measured at a higher weight says nothing against this one.
  const driftCounts = at.weight <= weight || sameWeight(at.weight, weight);
  return { ...measure, broken: findCellBreak(measure, cells, foreign) ?? (driftCounts ? findDriftBreak(measure, cells) : null) };
}

/**
 * The gain at weight 1 is measured on all pictures; at other weights on so few that held-out ones say little. So the
 * training pictures give the share of the gain that a weight reaches, and the held-out ones its height.
 */
function gainAt(evaluation: EpochEvaluation, at: Evaluation, { base, heldOut }: Pick<Context, "base" | "heldOut">): number {
  const trainGain = 1 - at.trainLoss / base.trainLoss;
  if (!heldOut || base.heldOutLoss === null) return finite(trainGain, -1);
  const whole = 1 - (evaluation.heldOutLoss ?? evaluation.trainLoss) / base.heldOutLoss;
  const trainWhole = 1 - evaluation.trainLoss / base.trainLoss;
  const measured = 1 - (at.heldOutLoss ?? at.trainLoss) / base.heldOutLoss;
  if (at.weight === 1 || whole <= 0 || trainWhole <= 0) return finite(measured, -1);
  return finite(whole * Math.min(MOST_GROWTH, trainGain / trainWhole), -1);
}

const MOST_GROWTH = 1.5;

// The trainer measures at every drawn weight; an older run may have measured at weight 1 alone.
function nearest(evaluation: EpochEvaluation, weight: number): Evaluation {
  const measured = [...evaluation.atWeights, { ...evaluation, weight: 1 }];
  return measured.reduce((best, one) => (Math.abs(one.weight - weight) < Math.abs(best.weight - weight) ? one : best));
}

function cellsAt(cells: readonly JudgedCell[], epoch: number, weight: number): JudgedCell[] {
  return cells.filter((cell) => cell.epoch === epoch && sameWeight(cell.weight, weight));
}

function finite(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}

function sameWeight(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-6;
}

const damageFlags: readonly CellFlag[] = ["black", "fried", "contrast", "crunchy", "mush", "banding"];

function withFlag(cells: readonly JudgedCell[], ...flags: readonly CellFlag[]): JudgedCell[] {
  return cells.filter((cell) => cell.flags.some((flag) => flags.includes(flag)));
}

function share(cells: readonly JudgedCell[], ...flags: readonly CellFlag[]): number {
  return cells.length === 0 ? 0 : withFlag(cells, ...flags).length / cells.length;
}

/** More than a third of the cells: with the usual three prompts one false alarm breaks nothing. */
const DAMAGE_SHARE = 0.34;
const HALF = 0.5;

function findCellBreak(measure: Omit<Measure, "broken">, cells: readonly JudgedCell[], foreign: readonly JudgedCell[]): Break | null {
  const black = withFlag(cells, "black").length;
  if (black > 0) return { what: "black", flags: ["black"], cells: black, of: cells.length };
  if (measure.damaged >= DAMAGE_SHARE) {
    const damaged = withFlag(cells, ...damageFlags);
    return { what: "damage", flags: mostFrequent(damaged), cells: damaged.length, of: cells.length };
  }
  if (foreign.length > 0 && measure.leaking >= HALF) {
    return { what: "leak", flags: ["leak"], cells: withFlag(foreign, "leak").length, of: foreign.length };
  }
  if (measure.collapsed >= HALF)
    return { what: "collapse", flags: ["collapse"], cells: withFlag(cells, "collapse").length, of: cells.length };
  return null;
}

function findDriftBreak({ drift }: Omit<Measure, "broken">, cells: readonly JudgedCell[]): Break | null {
  return drift > DRIFT_LIMIT ? { what: "drift", flags: [], cells: 0, of: cells.length } : null;
}

function mostFrequent(cells: readonly JudgedCell[]): CellFlag[] {
  const counts = damageFlags.map((flag) => ({ flag, count: withFlag(cells, flag).length }));
  return counts
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .map(({ flag }) => flag);
}
