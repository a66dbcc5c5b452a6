import type { Dataset } from "../../protocol/dataset.js";
import { hasEnded, type Job } from "../../protocol/job.js";
import type { Snapshot } from "../../protocol/messages.js";
import { captionProblems, hasFixable, imagesToFix, pictureProblems } from "./problems.js";
import { datasetRoute, gridRoute, type Route, runRoute } from "./route.js";

export type StepId = "pictures" | "tags" | "plan" | "train" | "grid";

/** What stands under a step of the rail; the words are in the locale files. */
export type StepState =
  | { kind: "unknown" }
  | { kind: "empty" }
  | { kind: "toFix"; count: number }
  | { kind: "triggerMissing" }
  | { kind: "pictures"; count: number }
  | { kind: "done" }
  | { kind: "open" }
  | { kind: "waiting" }
  | { kind: "job"; status: Job["status"]; percent: number }
  | { kind: "cells"; count: number }
  | { kind: "verdict"; epoch: number };

/** `route` is null for a step that can't be entered yet. */
export type RailStep = { id: StepId; state: StepState; route: Route | null; done: boolean };

/** The next sensible thing and where it is done; `attention` when something there waits for the person. */
export type NextStep = { id: StepId; route: Route; attention: boolean };

export type Rail = { dataset: string; steps: RailStep[]; next: NextStep | null };

/** Which data set a page belongs to, which step is in sight, and which run when it is a run's page. */
export type RailPlace = { dataset: string; step: StepId; job: Job | null };

/** The place of a route on a rail; null for pages without one. A run belongs to its data set as long as that is there. */
export function railPlace(route: Route, snapshot: Snapshot | null): RailPlace | null {
  if (route.page === "dataset") return { dataset: route.dataset, step: route.step, job: null };
  if (route.page !== "run" && route.page !== "grid") return null;
  const job = snapshot?.jobs.find((one) => one.id === route.job);
  const isKnown = snapshot?.datasets.some((dataset) => dataset.name === job?.dataset);
  return job && isKnown ? { dataset: job.dataset, step: route.page === "run" ? "train" : "grid", job } : null;
}

/** What the rail says of a data set; `dataset` is null until its scan is there. */
export function railOf(place: RailPlace, dataset: Dataset | null, jobs: readonly Job[]): Rail {
  const { dataset: name, step: current } = place;
  const job = place.job ?? newestJob(name, jobs);
  const steps: RailStep[] = [
    { id: "pictures", ...picturesState(dataset), route: datasetRoute(name) },
    { id: "tags", ...tagsState(dataset), route: datasetRoute(name, "tags") },
    { id: "plan", state: job ? { kind: "done" } : { kind: "open" }, done: job !== null, route: datasetRoute(name, "plan") },
    { id: "train", ...trainState(job), route: job ? runRoute(job.id) : null },
    { id: "grid", ...gridState(job), route: job && job.cells.length > 0 ? gridRoute(job.id) : null },
  ];
  return { dataset: name, steps, next: nextStep(steps, current, dataset) };
}

/** The newest job of a data set, or null. */
export function newestJob(dataset: string, jobs: readonly Job[]): Job | null {
  return jobs
    .filter((job) => job.dataset === dataset)
    .reduce<Job | null>((newest, job) => (newest && newest.createdAt >= job.createdAt ? newest : job), null);
}

function picturesState(dataset: Dataset | null): Pick<RailStep, "state" | "done"> {
  if (!dataset) return { state: { kind: "unknown" }, done: false };
  if (dataset.images.length === 0) return { state: { kind: "empty" }, done: false };
  const problems = pictureProblems(dataset);
  if (imagesToFix(problems) > 0) return { state: { kind: "toFix", count: imagesToFix(problems) }, done: !hasFixable(problems) };
  return { state: { kind: "pictures", count: dataset.images.length }, done: true };
}

function tagsState(dataset: Dataset | null): Pick<RailStep, "state" | "done"> {
  if (!dataset) return { state: { kind: "unknown" }, done: false };
  const problems = captionProblems(dataset);
  if (imagesToFix(problems) > 0) return { state: { kind: "toFix", count: imagesToFix(problems) }, done: !hasFixable(problems) };
  if (dataset.triggerWord === "") return { state: { kind: "triggerMissing" }, done: false };
  return { state: { kind: "done" }, done: true };
}

function trainState(job: Job | null): Pick<RailStep, "state" | "done"> {
  if (!job) return { state: { kind: "waiting" }, done: false };
  const percent = job.totalSteps > 0 ? Math.floor((100 * job.step) / job.totalSteps) : 0;
  return { state: { kind: "job", status: job.status, percent }, done: job.status === "finished" };
}

function gridState(job: Job | null): Pick<RailStep, "state" | "done"> {
  if (!job || job.cells.length === 0) return { state: { kind: "waiting" }, done: false };
  if (job.verdict) return { state: { kind: "verdict", epoch: job.verdict.epoch }, done: hasEnded(job) };
  return { state: { kind: "cells", count: job.cells.length }, done: false };
}

// From a step on, the button leads forward: to the first later step that is not done, or else simply to the next one.
function nextStep(steps: readonly RailStep[], current: StepId, dataset: Dataset | null): NextStep | null {
  if (!dataset || dataset.images.length === 0) return null;
  const at = steps.findIndex((step) => step.id === current);
  const later = steps.slice(at + 1);
  const target = later.find((step) => !step.done && step.route) ?? later.find((step) => step.route);
  if (!target?.route) return null;
  return { id: target.id, route: target.route, attention: target.state.kind === "toFix" || target.state.kind === "triggerMissing" };
}
