/** What a piece of sd-scripts' output says; null for the many lines that say nothing for us. */
export type OutputFact =
  | { readonly kind: "device"; readonly device: string }
  | { readonly kind: "loading" }
  | { readonly kind: "count"; readonly what: "samples" | "stepsPerEpoch" | "totalSteps"; readonly value: number }
  | { readonly kind: "bucket"; readonly width: number; readonly height: number; readonly samples: number }
  /** `step` counts from the start of this process; `loss` is the mean over the last epoch's steps. */
  | { readonly kind: "step"; readonly step: number; readonly loss: number; readonly secondsPerStep: number }
  | { readonly kind: "saving"; readonly file: string };

const COUNTS: readonly (readonly [RegExp, "samples" | "stepsPerEpoch" | "totalSteps"])[] = [
  [/num train images \* repeats[^:]*:\s*(\d+)/, "samples"],
  [/num batches per epoch[^:]*:\s*(\d+)/, "stepsPerEpoch"],
  [/total optimization steps[^:]*:\s*(\d+)/, "totalSteps"],
];

/** One line of sd-scripts, or one state of its progress bar (tqdm draws over itself with \r). */
export function readOutput(text: string): OutputFact | null {
  const step = /^steps:\s*\d+%\|[^|]*\|\s*(\d+)\/\d+\s*\[([^\]]*)\]/.exec(text);
  if (step) return stepOf(Number(step[1]), step[2] ?? "");
  const device = /accelerator device:\s*(\S+)/.exec(text)?.[1];
  if (device !== undefined) return { kind: "device", device };
  const file = /saving checkpoint:\s*(.+\.safetensors)\s*$/.exec(text)?.[1];
  if (file !== undefined) return { kind: "saving", file };
  const [, width, height, samples] = /bucket \d+: resolution \((\d+), (\d+)\), count: (\d+)/.exec(text) ?? [];
  if (samples !== undefined) return { kind: "bucket", width: Number(width), height: Number(height), samples: Number(samples) };
  for (const [pattern, what] of COUNTS) {
    const value = pattern.exec(text)?.[1];
    if (value !== undefined) return { kind: "count", what, value: Number(value) };
  }
  if (/loading model for process|load StableDiffusion checkpoint/i.test(text)) return { kind: "loading" };
  return null;
}

/** A state of the nameless bar that is drawn while latents are cached. */
export function readBar(text: string): { done: number; total: number } | null {
  const [, done, total] = /^\s*\d+%\|[^|]*\|\s*(\d+)\/(\d+)\s*\[/.exec(text) ?? [];
  return done === undefined ? null : { done: Number(done), total: Number(total) };
}

function stepOf(step: number, inside: string): OutputFact | null {
  const loss = /(?:avr_loss|loss)=([-\w.+]+)/.exec(inside)?.[1];
  // The bar is drawn before the loss of its step is known.
  if (loss === undefined || step === 0) return null;
  const perStep = /([\d.]+)s\/it/.exec(inside)?.[1];
  const perSecond = /([\d.]+)it\/s/.exec(inside)?.[1];
  const secondsPerStep =
    perStep !== undefined ? Number(perStep) : perSecond !== undefined && Number(perSecond) > 0 ? 1 / Number(perSecond) : 0;
  return { kind: "step", step, loss: /nan|inf/i.test(loss) ? Number.NaN : Number(loss), secondsPerStep };
}
