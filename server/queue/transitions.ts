import type { JobStatus } from "../../protocol/job.js";

export type JobCommand = "pause" | "resume" | "stop";

/**
 * What a command does to a job: a status at once, `ask` the trainer (whose event brings the status), `nothing` because it is so already,
 * or `refuse`.
 */
export type Reaction = { status: JobStatus } | "ask" | "nothing" | "refuse";

const AT_ONCE = { pause: { status: "paused" }, resume: { status: "queued" }, stop: { status: "stopped" } } as const;

const REACTIONS: Record<JobStatus, Record<JobCommand, Reaction>> = {
  queued: { pause: AT_ONCE.pause, resume: "nothing", stop: AT_ONCE.stop },
  preparing: { pause: "ask", resume: "nothing", stop: "ask" },
  running: { pause: "ask", resume: "nothing", stop: "ask" },
  pausing: { pause: "nothing", resume: "refuse", stop: "ask" },
  paused: { pause: "nothing", resume: AT_ONCE.resume, stop: AT_ONCE.stop },
  // Asked for again, a stop that is not obeyed becomes a forced one.
  stopping: { pause: "refuse", resume: "refuse", stop: "ask" },
  stopped: { pause: "refuse", resume: AT_ONCE.resume, stop: "nothing" },
  finished: { pause: "refuse", resume: "refuse", stop: "refuse" },
  failed: { pause: "refuse", resume: AT_ONCE.resume, stop: AT_ONCE.stop },
};

export function reactionTo(command: JobCommand, status: JobStatus): Reaction {
  return REACTIONS[status][command];
}

/** What a job that a killed server left in `status` becomes at the next start: work goes on first, a wish of the user's is granted. */
export function afterRestart(status: JobStatus): JobStatus {
  switch (status) {
    case "preparing":
    case "running":
      return "queued";
    case "pausing":
      return "paused";
    case "stopping":
      return "stopped";
    default:
      return status;
  }
}
