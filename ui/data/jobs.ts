import type { Job } from "../../protocol/job.js";
import { httpPaths, ResultOf } from "../../protocol/messages.js";
import type { Plan } from "../../protocol/plan.js";
import type { PlanDraft } from "./plan-draft.js";
import type { Session } from "./session.js";

/** What the server computes from a draft; nothing is queued. */
export function makePlan(session: Session, dataset: string, draft: PlanDraft): Promise<Plan> {
  return session.connection.request(ResultOf.plan, { type: "plan", dataset, ...draft });
}

export function enqueue(session: Session, dataset: string, draft: PlanDraft): Promise<{ job: string }> {
  return session.connection.request(ResultOf.enqueue, { type: "enqueue", dataset, ...draft });
}

export type JobControl = "pauseJob" | "resumeJob" | "stopJob";

export async function controlJob(session: Session, type: JobControl, job: string): Promise<void> {
  await session.connection.request(ResultOf[type], { type, job });
}

export type JobAsk = "saveNow" | "sampleNow" | "stopAndSave";

export async function askJob(session: Session, job: string, ask: JobAsk): Promise<void> {
  await session.connection.request(ResultOf.askJob, { type: "askJob", job, ask });
}

export async function extendJob(session: Session, job: string, epochs: number): Promise<void> {
  await session.connection.request(ResultOf.extendJob, { type: "extendJob", job, epochs });
}

export function sampleUrl(session: Session, job: string, file: string): string {
  return `${session.base}${httpPaths.sampleFile(job, file)}`;
}

/** Which controls make sense for a job as it is now. */
export function controlsFor(job: Job): JobControl[] {
  switch (job.status) {
    case "queued":
      return ["stopJob"];
    case "preparing":
    case "running":
      return ["pauseJob", "stopJob"];
    case "paused":
      return ["resumeJob", "stopJob"];
    case "failed":
    case "stopped":
      return ["resumeJob"];
    case "pausing":
    case "stopping":
    case "finished":
      return [];
    default: {
      const unknownStatus: never = job.status;
      return unknownStatus;
    }
  }
}

export async function readLog(session: Session, job: string): Promise<string> {
  return (await session.connection.request(ResultOf.readLog, { type: "readLog", job })).text;
}

export function readPlan(session: Session, job: string): Promise<Plan> {
  return session.connection.request(ResultOf.readPlan, { type: "readPlan", job });
}

export function reportUrl(session: Session, job: string): string {
  return `${session.base}${httpPaths.report(job)}`;
}
