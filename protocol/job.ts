import { z } from "zod";
import { Failure } from "./errors.js";
import { Cell, Verdict } from "./grid.js";
import { RenderSettings } from "./host.js";
import { Evaluation, TrainerEvent } from "./trainer.js";

export const JobStatus = z.enum(["queued", "preparing", "running", "pausing", "paused", "stopping", "stopped", "finished", "failed"]);
export type JobStatus = z.infer<typeof JobStatus>;

const time = z.int();

/** A cell that the WebUI has drawn, below the run's `webui/` folder. */
export const WebuiCell = z.object({ ...Cell.shape, infotext: z.string() });
export type WebuiCell = z.infer<typeof WebuiCell>;

/** The grid that the WebUI draws for a run. */
export const WebuiGrid = z.object({
  settings: RenderSettings,
  cells: z.array(WebuiCell),
  /** Cells asked for in the drawing that goes on; null: none goes on. */
  drawing: z.object({ done: z.int(), total: z.int() }).nullable(),
  sheet: z.string().nullable(),
  failure: Failure.nullable(),
});
export type WebuiGrid = z.infer<typeof WebuiGrid>;

/** Everything that can happen to a job: what the trainer says, and what the server adds. The store keeps them in order. */
export const JobEvent = z.union([
  TrainerEvent,
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("status"), time, status: JobStatus }),
    z.object({ type: z.literal("verdict"), time, verdict: Verdict }),
    z.object({ type: z.literal("report"), time, file: z.string() }),
    /** The WebUI was asked for cells; those of other settings are forgotten, drawn ones of the same settings are kept. */
    z.object({ type: z.literal("webuiDrawing"), time, settings: RenderSettings, total: z.int() }),
    z.object({ type: z.literal("webuiCell"), time, ...WebuiCell.shape }),
    z.object({ type: z.literal("webuiDrawn"), time, sheet: z.string().nullable(), failure: Failure.nullable() }),
  ]),
]);
export type JobEvent = z.infer<typeof JobEvent>;

/** One run of one plan, as every page shows it: the fold of its events. */
export const Job = z.object({
  id: z.string(),
  name: z.string(),
  dataset: z.string(),
  baseModel: z.string(),
  status: JobStatus,
  createdAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  totalSteps: z.int(),
  epochs: z.int(),
  step: z.int(),
  epoch: z.int(),
  /** What is being done besides stepping; null while it steps. */
  stage: z.object({ name: z.string(), done: z.int(), total: z.int() }).nullable(),
  learningRate: z.number(),
  secondsPerStep: z.number(),
  /** At most LOSS_POINTS [step, loss] points; thinned by halves so that the shape of a long run stays. */
  losses: z.array(z.tuple([z.int(), z.number()])),
  /** Steps between two kept points of `losses`. */
  lossStride: z.int().positive(),
  evaluations: z.array(z.object({ epoch: z.int(), ...Evaluation.omit({ weight: true }).shape, atWeights: z.array(Evaluation) })),
  saves: z.array(z.object({ epoch: z.int(), step: z.int(), file: z.string(), bytes: z.int() })),
  /** LoRAs that were asked for in the middle of an epoch. */
  extraSaves: z.array(z.object({ step: z.int(), file: z.string(), bytes: z.int() })),
  /** Pictures that were asked for, below the run's folder. */
  samples: z.array(z.object({ step: z.int(), prompt: z.int(), file: z.string() })),
  cells: z.array(Cell),
  sheet: z.string().nullable(),
  verdict: Verdict.nullable(),
  report: z.string().nullable(),
  webui: WebuiGrid.nullable(),
  /** The trainer waits in RAM while the WebUI has the GPU. */
  parked: z.boolean(),
  warnings: z.array(z.string()),
  failure: Failure.nullable(),
  trainSeconds: z.number(),
  gridSeconds: z.number(),
});
export type Job = z.infer<typeof Job>;

export const LOSS_POINTS = 2000;

/** A job that has just been put into the queue. */
export function newJob(facts: Pick<Job, "id" | "name" | "dataset" | "baseModel" | "createdAt" | "totalSteps" | "epochs">): Job {
  return {
    ...facts,
    status: "queued",
    startedAt: null,
    endedAt: null,
    step: 0,
    epoch: 0,
    stage: null,
    learningRate: 0,
    secondsPerStep: 0,
    losses: [],
    lossStride: 1,
    evaluations: [],
    saves: [],
    extraSaves: [],
    samples: [],
    cells: [],
    sheet: null,
    verdict: null,
    report: null,
    webui: null,
    parked: false,
    warnings: [],
    failure: null,
    trainSeconds: 0,
    gridSeconds: 0,
  };
}

/** The one fold of events into a job; pure, and the same in the server and in the browser. Never mutates `job`. */
export function applyEvent(job: Job, event: JobEvent): Job {
  switch (event.type) {
    case "status":
      return withStatus(job, event.status, event.time);
    case "started":
      return withStart(job, event);
    case "stage":
      return { ...job, stage: event.done < event.total ? { name: event.stage, done: event.done, total: event.total } : null };
    case "step":
      return withStep(job, event);
    case "evaluated": {
      const { type: _type, time: _time, ...evaluation } = event;
      return { ...job, evaluations: replaceBy(job.evaluations, evaluation, (e) => e.epoch === evaluation.epoch) };
    }
    case "saved": {
      const save = { epoch: event.epoch, step: event.step, file: event.file, bytes: event.bytes };
      return { ...job, saves: replaceBy(job.saves, save, (s) => s.epoch === save.epoch) };
    }
    case "cell": {
      const { type: _type, time: _time, ...cell } = event;
      return { ...job, cells: replaceBy(job.cells, cell, (c) => c.file === cell.file) };
    }
    case "sheet":
      return { ...job, sheet: event.file };
    case "savedNow":
    case "sample":
      return withAnswer(job, event);
    case "stateSaved":
      return job;
    case "warning":
      return { ...job, warnings: [...job.warnings, event.message] };
    case "paused":
      return withStatus(job, "paused", event.time);
    case "stopped":
      return withStatus(job, "stopped", event.time);
    case "finished":
      return { ...withStatus(job, "finished", event.time), trainSeconds: event.trainSeconds, gridSeconds: event.gridSeconds };
    case "failed": {
      const { type: _type, time: _time, ...failure } = event;
      return { ...withStatus(job, "failed", event.time), failure };
    }
    case "verdict":
      return { ...job, verdict: event.verdict };
    case "report":
      return { ...job, report: event.file };
    case "parked":
    case "unparked":
      return { ...job, parked: event.type === "parked" };
    case "webuiDrawing":
    case "webuiCell":
    case "webuiDrawn":
      return { ...job, webui: applyWebuiEvent(job.webui, event) };
    default: {
      const unknownEvent: never = event;
      return unknownEvent;
    }
  }
}

/** True once nothing more will happen to the job by itself. */
export function hasEnded(job: Job): boolean {
  return job.status === "finished" || job.status === "failed" || job.status === "stopped";
}

/** Seconds until the last step at the present pace; null before the pace is known. */
export function etaSeconds(job: Job): number | null {
  return job.secondsPerStep > 0 && job.status === "running" ? (job.totalSteps - job.step) * job.secondsPerStep : null;
}

function withStatus(job: Job, status: JobStatus, at: number): Job {
  const ended = status === "finished" || status === "failed" || status === "stopped";
  return {
    ...job,
    status,
    parked: status === "running" || status === "pausing" || status === "stopping" ? job.parked : false,
    stage: status === "running" || status === "preparing" ? job.stage : null,
    startedAt: job.startedAt ?? (status === "preparing" || status === "running" ? at : null),
    endedAt: ended ? at : null,
  };
}

function withStart(job: Job, { time, step, totalSteps, epochs }: Extract<JobEvent, { type: "started" }>): Job {
  return rewindTo({ ...withStatus(job, "running", time), failure: null, totalSteps, epochs }, step);
}

function withAnswer(job: Job, event: Extract<JobEvent, { type: "savedNow" | "sample" }>): Job {
  const { step, file } = event;
  if (event.type === "sample")
    return { ...job, samples: replaceBy(job.samples, { step, prompt: event.prompt, file }, (other) => other.file === file) };
  return { ...job, extraSaves: replaceBy(job.extraSaves, { step, file, bytes: event.bytes }, (other) => other.file === file) };
}

function applyWebuiEvent(
  grid: WebuiGrid | null,
  event: Extract<JobEvent, { type: "webuiDrawing" | "webuiCell" | "webuiDrawn" }>,
): WebuiGrid | null {
  if (event.type === "webuiDrawing") {
    const same = grid !== null && JSON.stringify(grid.settings) === JSON.stringify(event.settings);
    const kept = same ? { cells: grid.cells, sheet: grid.sheet } : { cells: [], sheet: null };
    return { ...kept, settings: event.settings, drawing: { done: 0, total: event.total }, failure: null };
  }
  if (grid === null) return null;
  if (event.type === "webuiDrawn") return { ...grid, drawing: null, sheet: event.sheet ?? grid.sheet, failure: event.failure };
  const { type: _type, time: _time, ...cell } = event;
  const drawing = grid.drawing && { ...grid.drawing, done: Math.min(grid.drawing.total, grid.drawing.done + 1) };
  return { ...grid, drawing, cells: replaceBy(grid.cells, cell, (c) => c.file === cell.file) };
}

function withStep(job: Job, event: Extract<JobEvent, { type: "step" }>): Job {
  const keep = event.step % job.lossStride === 0;
  const losses: Job["losses"] = keep ? [...job.losses, [event.step, event.loss]] : job.losses;
  const full = losses.length > LOSS_POINTS;
  return {
    ...job,
    stage: null,
    step: event.step,
    epoch: event.epoch,
    learningRate: event.learningRate,
    secondsPerStep: event.secondsPerStep,
    lossStride: full ? job.lossStride * 2 : job.lossStride,
    losses: full ? losses.filter(([step]) => step % (job.lossStride * 2) === 0) : losses,
  };
}

// A run that goes on from its state repeats the steps after it, so what those steps had said is dropped.
function rewindTo(job: Job, step: number): Job {
  return { ...job, step, losses: job.losses.filter(([at]) => at <= step) };
}

function replaceBy<T>(list: readonly T[], item: T, same: (other: T) => boolean): T[] {
  const at = list.findIndex(same);
  return at < 0 ? [...list, item] : list.map((other, index) => (index === at ? item : other));
}
