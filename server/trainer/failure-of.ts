import { type Failure, toFailure } from "../../protocol/errors.js";
import { readTail } from "./read-tail.js";
import type { TrainerExit } from "./trainer-process.js";

const LOG_TAIL = 4000;

/** The Failure inside a thrown value; a full disk has its own code whoever met it. */
export function failureOf(thrown: unknown): Failure {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (code === "ENOSPC" || code === "SQLITE_FULL" || code === "EDQUOT")
    return {
      code: "disk_full",
      message: "The disk is full. Free some space and try again; a run that was cut off goes on from its last saved state.",
    };
  return toFailure(thrown);
}

const RESUME = "Finished epochs are kept; resume the run and it goes on from its last saved state.";

/** What is said of a trainer that left without a last word, with the tail of its log. */
export async function crashOf(exit: TrainerExit, logFile: string, advice = RESUME): Promise<Failure> {
  const details = await readTail(logFile, LOG_TAIL);
  return { code: "crashed", message: `${whatHappened(exit)} ${advice}`, ...(details ? { details } : {}) };
}

function whatHappened({ code, signal, notStarted }: TrainerExit): string {
  if (notStarted !== null) return `The trainer could not be started (${notStarted}).`;
  if (signal === "SIGKILL") return "The trainer was killed (SIGKILL), as the system does when memory runs out.";
  if (signal !== null) return `The trainer was ended by the signal ${signal}.`;
  return `The trainer ended unexpectedly with exit code ${code ?? "unknown"}; the end of its log says more.`;
}
