import { ErrorCode, type Failure } from "../../../protocol/errors.js";
import { readTail } from "../read-tail.js";
import type { TrainerExit } from "../trainer-process.js";

const LOG_TAIL = 6000;

const SIGNS: readonly (readonly [RegExp, ErrorCode, (found: string) => string])[] = [
  [
    /out of memory|OutOfMemoryError|not enough memory|can't allocate memory/i,
    "out_of_memory",
    () => "sd-scripts ran out of memory. Lower the batch size or the resolution, close other programs, and resume or plan the run again.",
  ],
  [
    /ModuleNotFoundError: No module named '([^']+)'/,
    "program_missing",
    (name) => `sd-scripts lacks the Python package ${name}. Install what its requirements.txt names into its own venv, and resume the run.`,
  ],
  [
    /No space left on device|Errno 28\b/,
    "disk_full",
    () => "The disk is full. Free some space and resume the run; it goes on from the end of its last epoch.",
  ],
  [
    /NaN detected in latents|NaN found in latents/,
    "nan_loss",
    () => "The base model's VAE gave numbers that are not finite. Choose no mixed precision or bf16 and plan the run again.",
  ],
  [
    /(?:error: unrecognized arguments|error: argument) ?([^\n]*)/,
    "bad_settings",
    (what) =>
      `sd-scripts does not understand an option (${what.trim()}). Update your checkout, or change that setting and plan the run again.`,
  ],
];

/** Why sd-scripts has ended, as far as its exit and the end of its log tell. */
export async function failureOfOutput(exit: TrainerExit, logFile: string): Promise<Failure> {
  const details = await readTail(logFile, LOG_TAIL);
  for (const [sign, code, sentence] of SIGNS) {
    const found = sign.exec(details);
    if (found) return { code: ErrorCode.parse(code), message: sentence(found[1] ?? ""), details };
  }
  const kept = "Finished epochs are kept; resume the run and it goes on from the end of its last epoch.";
  return { code: "crashed", message: `${whatHappened(exit)} ${kept}`, ...(details ? { details } : {}) };
}

function whatHappened({ code, signal, notStarted }: TrainerExit): string {
  if (notStarted !== null) return `sd-scripts could not be started (${notStarted}); check SD_SCRIPTS_PYTHON.`;
  if (signal !== null) return `sd-scripts was ended by the signal ${signal}, as the system does when memory runs out.`;
  return `sd-scripts ended unexpectedly with exit code ${code ?? "unknown"}; the end of its log says more.`;
}
