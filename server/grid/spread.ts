import { changeOfPicture, colourDistance, type Thumbprint } from "./thumbprint.js";

/**
 * True when a prompt without the trigger word changes against the cell without LoRA by more than half of what prompts
 * with it change at the same epoch and weight (`triggerChanges`): the LoRA answers where nobody called it.
 */
export function isLeak(cell: Thumbprint, base: Thumbprint, triggerChanges: readonly number[]): boolean {
  if (triggerChanges.length === 0) return false;
  const changed = changeOfPicture(cell, base);
  const called = triggerChanges.reduce((sum, change) => sum + change, 0) / triggerChanges.length;
  return changed > LEAK_SHARE * called && changed > LEAST_CHANGE;
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
/** Less is the same picture with other details, lights or colours. */
const LEAST_CHANGE = 0.2;
const COLLAPSE_SHARE = 0.5;
/** Pairs grow with the square; this many pictures tell the spread well enough. */
const MAX_PICTURES = 24;

function meanDistance(prints: readonly Thumbprint[]): number {
  const some = prints.slice(0, MAX_PICTURES);
  const distances = some.flatMap((print, index) => some.slice(index + 1).map((other) => colourDistance(print, other)));
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}
