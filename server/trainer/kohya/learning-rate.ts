import type { ResolvedSettings } from "../../../protocol/settings.js";

/**
 * The UNet's learning rate in the step that follows `step` of `total` steps as sd-scripts' schedules have it (transformers' get_scheduler), because
 * sd-scripts does not print it.
 */
export function learningRateAt(settings: ResolvedSettings, step: number, total: number): number {
  const warmup = settings.lrWarmupSteps < 1 ? Math.floor(settings.lrWarmupSteps * total) : settings.lrWarmupSteps;
  if (step < warmup) return (settings.unetLr * step) / warmup;
  const share = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  return settings.unetLr * factorOf(settings, share);
}

function factorOf({ lrScheduler, lrSchedulerNumCycles, lrSchedulerPower, lrSchedulerMinLrRatio }: ResolvedSettings, share: number): number {
  switch (lrScheduler) {
    case "constant":
    case "constant_with_warmup":
      return 1;
    case "linear":
      return 1 - share;
    case "cosine":
      return lrSchedulerMinLrRatio + ((1 - lrSchedulerMinLrRatio) * (1 + Math.cos(Math.PI * share))) / 2;
    case "cosine_with_restarts":
      return share >= 1 ? 0 : (1 + Math.cos(Math.PI * ((share * lrSchedulerNumCycles) % 1))) / 2;
    case "polynomial":
      return (1 - share) ** lrSchedulerPower;
    default: {
      const unknownSchedule: never = lrScheduler;
      return unknownSchedule;
    }
  }
}
