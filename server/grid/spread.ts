import { colourDistance, type Thumbprint } from "./thumbprint.js";

/**
 * True when a prompt without the trigger word is moved away from the cell without LoRA by more than half of what prompts
 * with it are moved at the same epoch and weight: the LoRA answers where nobody called it.
 */
export function isLeak(cell: Thumbprint, base: Thumbprint, triggerMoves: readonly number[]): boolean {
  if (triggerMoves.length === 0) return false;
  const moved = colourDistance(cell, base);
  const called = triggerMoves.reduce((sum, move) => sum + move, 0) / triggerMoves.length;
  return moved > LEAK_SHARE * called && moved > LEAST_MOVE;
}

/**
 * True when pictures of one prompt with different seeds are less than half as different as without LoRA, and also less
 * than half as different as the training pictures are.
 */
export function isCollapse(cells: readonly Thumbprint[], base: readonly Thumbprint[], training: readonly Thumbprint[]): boolean {
  if (cells.length < 2 || base.length < 2) return false;
  const spread = meanDistance(cells);
  const trained = training.length < 2 ? Number.POSITIVE_INFINITY : meanDistance(training);
  return spread < COLLAPSE_SHARE * meanDistance(base) && spread < COLLAPSE_SHARE * trained;
}

const LEAK_SHARE = 0.5;
/** Grey levels; less is the usual jitter of a small change of the weights. */
const LEAST_MOVE = 10;
const COLLAPSE_SHARE = 0.5;
/** Pairs grow with the square; this many pictures tell the spread well enough. */
const MAX_PICTURES = 24;

function meanDistance(prints: readonly Thumbprint[]): number {
  const some = prints.slice(0, MAX_PICTURES);
  const distances = some.flatMap((print, index) => some.slice(index + 1).map((other) => colourDistance(print, other)));
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}
