import type { CellFlag } from "../../protocol/grid.js";
import type { PictureStats } from "./picture-stats.js";

/** What one look at a single picture can find; copies, leaks and collapse need other pictures. */
export type DamageFlag = Extract<CellFlag, "black" | "fried" | "contrast" | "crunchy" | "mush" | "banding">;

/** The smallest and largest value that each statistic has over (most of) the training pictures. */
export type TrainingRange = { low: PictureStats; high: PictureStats };

/**
 * The range of each statistic over the training pictures, 5th to 95th percentile; null when there are none, and then
 * the cell without LoRA alone is the measure.
 */
export function trainingRange(stats: readonly PictureStats[]): TrainingRange | null {
  const first = stats[0];
  if (first === undefined) return null;
  const low = { ...first };
  const high = { ...first };
  for (const key of statNames) {
    const sorted = stats.map((one) => one[key]).sort((a, b) => a - b);
    low[key] = sorted[Math.floor(0.05 * (sorted.length - 1))] ?? first[key];
    high[key] = sorted[Math.ceil(0.95 * (sorted.length - 1))] ?? first[key];
  }
  return { low, high };
}

/**
 * Damage in a cell. Every test but that for black asks twice: is it far from the cell without LoRA of the same prompt
 * and seed, and is it outside of what the training pictures are like? Flat drawings, night scenes and noisy photos are
 * all fine when they were trained on.
 */
export function detectDamage(cell: PictureStats, base: PictureStats, training: TrainingRange | null): DamageFlag[] {
  // A broken cell without LoRA is no measure of anything.
  const reference = base.range < BLACK_RANGE ? (training?.high ?? base) : base;
  const context = { cell, base: reference, high: training?.high ?? reference, low: training?.low ?? reference };
  if (cell.range < BLACK_RANGE) return ["black"];
  return tests.filter(([, test]) => test(context)).map(([flag]) => flag);
}

const statNames = [
  "range",
  "clipped",
  "burnt",
  "chroma",
  "contrast",
  "spread",
  "detail",
  "sharpness",
  "grain",
  "emptyLevels",
  "blocks",
] as const;

/** A picture whose values lie closer together is black, or one colour, or was NaN. */
const BLACK_RANGE = 8;

type Context = { cell: PictureStats; base: PictureStats; high: PictureStats; low: PictureStats };

const tests: readonly (readonly [DamageFlag, (context: Context) => boolean])[] = [
  [
    "fried",
    ({ cell, base, high }) =>
      exceeds(cell.clipped, base.clipped, high.clipped, fried.clipped) ||
      exceeds(cell.burnt, base.burnt, high.burnt, fried.burnt) ||
      exceeds(cell.chroma, base.chroma, high.chroma, fried.chroma),
  ],
  ["contrast", ({ cell, base, high }) => exceeds(cell.contrast, base.contrast, high.contrast, contrast)],
  [
    "crunchy",
    ({ cell, base, high }) =>
      exceeds(cell.detail, base.detail, high.detail, crunchy.detail) || exceeds(cell.grain, base.grain, high.grain, crunchy.grain),
  ],
  ["mush", ({ cell, base, low }) => falls(cell.detail, base.detail, low.detail) && falls(cell.sharpness, base.sharpness, low.sharpness)],
  [
    "banding",
    ({ cell, base, high }) =>
      exceeds(cell.emptyLevels, base.emptyLevels, high.emptyLevels, banding.emptyLevels) ||
      exceeds(cell.blocks, base.blocks, high.blocks, banding.blocks),
  ],
];

/** `times` the cell without LoRA and `beyond` the training pictures, and `least` more than either. */
type Limit = { times: number; beyond: number; least: number };

const fried = {
  burnt: { times: 2, beyond: 1.5, least: 0.005 },
  clipped: { times: 2, beyond: 1.1, least: 0.04 },
  chroma: { times: 1.6, beyond: 1.25, least: 12 },
};
const contrast: Limit = { times: 1.35, beyond: 1.25, least: 4 };
const crunchy = { detail: { times: 2, beyond: 1.25, least: 0.004 }, grain: { times: 2, beyond: 1.5, least: 2 } };
const banding = { emptyLevels: { times: 2, beyond: 1.2, least: 16 }, blocks: { times: 1.6, beyond: 1.4, least: 0.4 } };
const MUSH_SHARE = 0.4;

function exceeds(value: number, base: number, trained: number, limit: Limit): boolean {
  return value > limit.times * base && value > limit.beyond * trained && value > Math.max(base, trained) + limit.least;
}

function falls(value: number, base: number, trained: number): boolean {
  return value < MUSH_SHARE * base && value < MUSH_SHARE * trained;
}
