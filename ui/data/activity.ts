import type { Job } from "../../protocol/job.js";

/** What the machine is doing, for the line at the top right. */
export type Activity =
  | { kind: "idle" }
  | { kind: "paused"; job: Job }
  | { kind: "waiting"; count: number }
  | { kind: "working"; job: Job; waiting: number };

export function activityOf(jobs: readonly Job[]): Activity {
  const waiting = jobs.filter((job) => job.status === "queued").length;
  const busy = jobs.find((job) => ["preparing", "running", "pausing", "stopping"].includes(job.status));
  if (busy) return { kind: "working", job: busy, waiting };
  if (waiting > 0) return { kind: "waiting", count: waiting };
  const paused = jobs.find((job) => job.status === "paused");
  return paused ? { kind: "paused", job: paused } : { kind: "idle" };
}
