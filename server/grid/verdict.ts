import type { Verdict } from "../../protocol/grid.js";
import type { Settings } from "../../protocol/settings.js";
import { type MeasureInput, measureGrid } from "./verdict-measures.js";
import { verdictReasons, verdictSentence } from "./verdict-reasons.js";
import { brokenness, type EpochScore, scoreEpochs } from "./verdict-scores.js";

export type VerdictInput = MeasureInput & { subject?: Settings["subject"] };

/**
 * Which epoch up to which weight looks strongest by what was measured, and why. Pure. null when there is nothing to judge
 * by: no epoch, no weight, or no measurement of the base model.
 *
 * Broken weights are out first (a hot LoRA often has the lowest held-out loss of all); among the rest likeness (gain of the
 * held-out loss over the base model) and flexibility (little drift on foreign prompts, no leaks, no copies) are combined.
 */
export function makeVerdict(input: VerdictInput): Verdict | null {
  const grid = measureGrid(input);
  if (grid === null) return null;
  const scores = scoreEpochs(grid.measures, input.subject === undefined || input.subject === "character" ? CHARACTER_BETA : STYLE_BETA);
  const ranked = bestFirst(scores);
  const best = ranked[0];
  if (best === undefined) return null;
  const context = { best, scores, ranked, heldOut: grid.heldOut, drawn: input.judgedCells.some(({ epoch }) => epoch > 0) };
  return {
    epoch: best.epoch,
    weight: best.best.weight,
    maxWeight: best.maxWeight,
    sentence: verdictSentence(context),
    reasons: verdictReasons(context),
    scores: scores.map(({ epoch, best: { likeness, flexibility, combined }, breakWeight }) => ({
      epoch,
      likeness,
      flexibility,
      combined,
      breakWeight,
    })),
    alternatives: ranked
      .slice(1, 1 + ALTERNATIVES)
      .filter(({ usable }) => usable === best.usable)
      .map(({ epoch }) => epoch),
  };
}

/** Likeness counts more for a character; a style must leave room for anything. */
const CHARACTER_BETA = 2;
const STYLE_BETA = 1;
const ALTERNATIVES = 2;

function order(a: EpochScore, b: EpochScore): number {
  return a.usable ? b.best.combined - a.best.combined : brokenness(a.best) - brokenness(b.best);
}

/** Of the usable epochs that are as good as the best within this share, the earliest: more training earned nothing. */
const AS_GOOD = 0.995;

function bestFirst(scores: readonly EpochScore[]): EpochScore[] {
  const ranked = [...scores].sort((a, b) => Number(b.usable) - Number(a.usable) || order(a, b));
  const top = ranked[0];
  if (top === undefined || !top.usable) return ranked;
  const first = scores.find(({ usable, best }) => usable && best.combined >= AS_GOOD * top.best.combined) ?? top;
  return [first, ...ranked.filter((score) => score !== first)];
}
