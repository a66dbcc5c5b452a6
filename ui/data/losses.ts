import type { Job } from "../../protocol/job.js";

export type LossPoint = Job["losses"][number];

/** Losses smoothed by an exponential mean over about `window` of all points, corrected for its start. */
export function smoothLosses(losses: readonly LossPoint[], window = 0.06): number[] {
  const length = Math.max(4, losses.length * window);
  const keep = 1 - 1 / length;
  let sum = 0;
  let weight = 0;
  return losses.map(([, loss]) => {
    sum = sum * keep + loss;
    weight = weight * keep + 1;
    return sum / weight;
  });
}

/** One epoch's measured losses as changes against epoch 0, the model without a LoRA. */
export type EpochPoint = {
  epoch: number;
  /** Relative change in percent; negative is better. Null where epoch 0 or the measure is missing. */
  heldOut: number | null;
  train: number | null;
  /** Mean squared difference from the base model on generic prompts; 0 is untouched. */
  drift: number;
};

export function epochPoints(evaluations: Job["evaluations"]): EpochPoint[] {
  const base = evaluations.find((evaluation) => evaluation.epoch === 0);
  return [...evaluations]
    .sort((a, b) => a.epoch - b.epoch)
    .map((evaluation) => ({
      epoch: evaluation.epoch,
      heldOut: change(evaluation.heldOutLoss, base?.heldOutLoss),
      train: change(evaluation.trainLoss, base?.trainLoss),
      drift: evaluation.drift,
    }));
}

function change(value: number | null, base: number | null | undefined): number | null {
  return value === null || !base ? null : (100 * (value - base)) / base;
}
