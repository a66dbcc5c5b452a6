import { appendFileSync, closeSync, existsSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { applyEvent, type Job, type JobEvent } from "../../protocol/job.js";
import { eventsFile } from "./run.js";

/** The growing record of one run: each event goes to events.jsonl, into the job, and to whoever listens, in this order. */
export type RunRecord = {
  add(event: JobEvent): void;
  /** Like `add`, for the event that tells of a failure: it must arrive even when the disk takes nothing any more. */
  addLast(event: JobEvent): void;
  /** A line for the run's log, beside what the trainer writes there itself. */
  log(line: string): void;
  job(): Job;
  close(): void;
};

export function openRunRecord(runDir: string, before: Job, onEvent: (event: JobEvent) => void): RunRecord {
  const file = eventsFile(runDir);
  const cut = existsSync(file) && endsInTheMiddle(file);
  const handle = openSync(file, "a");
  // A killed process may have left half a line; what follows must begin on its own.
  if (cut) writeSync(handle, "\n");
  let job = before;

  function tell(event: JobEvent): void {
    job = applyEvent(job, event);
    onEvent(event);
  }

  return {
    add(event) {
      writeSync(handle, `${JSON.stringify(event)}\n`);
      tell(event);
    },
    addLast(event) {
      try {
        writeSync(handle, `${JSON.stringify(event)}\n`);
      } catch {
        // A full disk may be the very failure that is told; without this line the run simply counts as cut off.
      }
      try {
        tell(event);
      } catch {
        // Whoever listens writes to the same disk.
      }
    },
    log(line) {
      appendFileSync(join(runDir, "trainer.log"), `${line}\n`);
    },
    job: () => job,
    close: () => closeSync(handle),
  };
}

/** Appends an event to a run that is not being trained; a training appends to the record that it holds open. */
export function appendEvent(runDir: string, event: JobEvent): void {
  const file = eventsFile(runDir);
  const cut = existsSync(file) && endsInTheMiddle(file);
  appendFileSync(file, `${cut ? "\n" : ""}${JSON.stringify(event)}\n`);
}

function endsInTheMiddle(file: string): boolean {
  const { size } = statSync(file);
  if (size === 0) return false;
  const handle = openSync(file, "r");
  const last = Buffer.alloc(1);
  readSync(handle, last, 0, 1, size - 1);
  closeSync(handle);
  return last[0] !== 0x0a;
}
