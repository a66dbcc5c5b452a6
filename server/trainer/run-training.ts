import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { applyEvent, type JobEvent, type JobStatus } from "../../protocol/job.js";
import type { Plan, Run } from "../../protocol/plan.js";
import type { TrainerEvent } from "../../protocol/trainer.js";
import type { HomePaths } from "../paths.js";
import { readPlanFile } from "../plan/plan-file.js";
import { holdLock } from "../store/sqlite.js";
import { crashOf, failureOf } from "./failure-of.js";
import { type Finished, finishRun } from "./finish-run.js";
import { PID_FILE, waitForFormerTrainer } from "./former-trainer.js";
import type { GpuTurn, GpuUser } from "./gpu-turn.js";
import { keepVerdicts } from "./keep-verdicts.js";
import { findSdScripts } from "./kohya/sd-scripts.js";
import { startSdScripts } from "./kohya/start-sd-scripts.js";
import { jobOfRun, readEvents, readRun } from "./run.js";
import { openRunRecord, type RunRecord } from "./run-record.js";
import { startTrainerProcess, type TrainerExit, type TrainerProcess } from "./trainer-process.js";
import { ensureTrainer } from "./venv.js";

/** A training that goes on. Pause and stop are asked for here and have happened when their event arrives. */
export type Training = {
  pause(): void;
  /** Asked for again after FORCE_AFTER_MS, ends a trainer that does not listen. */
  stop(): void;
  /** Asks for something that stops nothing; false when no trainer is there to hear it. */
  ask(command: TrainerAsk): boolean;
  /** A stop before which the LoRA is saved as it is. */
  stopAndSave(): void;
  /** Ends the trainer at once; the run goes on from its last saved state. */
  kill(): void;
  /** Adds an event from outside to the run's record; false when the record is not open. */
  add(event: JobEvent): boolean;
  /** Settles after the last event; never rejects, a failure is an event. */
  readonly done: Promise<void>;
};

export type TrainerAsk = "saveNow" | "sampleNow" | "extend";

export const FORCE_AFTER_MS = 10_000;

export type TrainingRequest = {
  readonly paths: HomePaths;
  /** Holds plan.json and run.json, as `newRun` has written them. */
  readonly runDir: string;
  readonly onEvent: (event: JobEvent) => void;
  /** Lines about the installation of the trainer, which is part of the first run's preparation. */
  readonly onProgress?: (line: string) => void;
  /** The turns with the GPU that this training takes; absent: it has the GPU to itself. */
  readonly gpu?: ((user: GpuUser) => GpuTurn) | undefined;
};

type State = {
  wanted: "pause" | "stop" | null;
  wantedAt: number;
  child: TrainerProcess | null;
  readonly preparation: AbortController;
};

/** Trains one run from where it stands to its end, a pause or a stop; the queue and the command line both call this. */
export function runTraining(request: TrainingRequest): Training {
  const state: State = { wanted: null, wantedAt: 0, child: null, preparation: new AbortController() };
  let record: RunRecord | null = null;

  function ask(wanted: "pause" | "stop", status: JobStatus, command: "pause" | "stop" | "stopAndSave" = wanted): void {
    if (state.wanted === "stop") {
      if (Date.now() - state.wantedAt > FORCE_AFTER_MS) state.child?.kill();
      return;
    }
    if (state.wanted === wanted || isOver(record?.job().status)) return;
    state.wanted = wanted;
    state.wantedAt = Date.now();
    record?.add({ type: "status", time: Date.now(), status });
    state.preparation.abort();
    state.child?.send({ type: command });
  }

  async function work(): Promise<void> {
    const opened = await openRecord(request);
    if (opened === null) return;
    record = opened.record;
    try {
      await train(request, state, opened);
    } catch (error) {
      await endWith(opened.record, state, error);
    } finally {
      record = null;
      opened.record.close();
    }
  }

  return {
    pause: () => ask("pause", "pausing"),
    stop: () => ask("stop", "stopping"),
    stopAndSave: () => ask("stop", "stopping", "stopAndSave"),
    ask(command) {
      state.child?.send({ type: command });
      return state.child !== null;
    },
    kill: () => state.child?.kill(),
    add(event) {
      record?.add(event);
      return record !== null;
    },
    done: work(),
  };
}

type Opened = { readonly run: Run; readonly plan: Plan; readonly record: RunRecord };

async function openRecord({ runDir, onEvent }: TrainingRequest): Promise<Opened | null> {
  try {
    const run = await readRun(runDir);
    const plan = await readPlanFile(join(runDir, "plan.json"));
    const before = (await readEvents(runDir)).reduce(applyEvent, jobOfRun(run, plan));
    return { run, plan, record: openRunRecord(runDir, before, onEvent) };
  } catch (error) {
    onEvent({ type: "failed", time: Date.now(), ...failureOf(error) });
    return null;
  }
}

async function train(request: TrainingRequest, state: State, { run, plan, record }: Opened): Promise<void> {
  const { runDir } = request;
  const release = holdLock(join(runDir, "run.lock"));
  if (release === null)
    throw new FailureError(
      "bad_request",
      `The run ${run.id} is being trained by another Train LoRA on this machine; wait for it or pause it there.`,
    );
  const turn = openTurn(request, state, { run, record });
  try {
    // What is missing is told before anything is installed.
    const sdScripts = plan.settings.engine === "kohya" ? findSdScripts() : null;
    const python = await prepare(request, state, record);
    await turn.begin(state.preparation.signal);
    const verdicts = keepVerdicts(plan, runDir, record);
    let finished: Finished | null = null;
    const onEvent = (event: TrainerEvent) => {
      // The end is told when the verdict and the report are there as well.
      if (event.type === "finished") finished = event;
      else record.add(event);
      turn.hear(event);
      if (event.type === "sheet") verdicts.again();
    };
    const child =
      sdScripts !== null
        ? startSdScripts({ sdScripts, python, plan, run, runDir, cacheDir: request.paths.cacheDir, onEvent })
        : startTrainerProcess({ python, args: ["train", runDir], logFile: join(runDir, "trainer.log"), onEvent });
    state.child = child;
    if (child.pid !== undefined) writeFileSync(join(runDir, PID_FILE), String(child.pid));
    if (state.wanted !== null) child.send({ type: state.wanted });
    const exit = await child.exited;
    state.child = null;
    await turn.end();
    await verdicts.settled();
    if (finished !== null) await finishRun({ plan, loraDir: run.loraDir, runDir, record, finished });
    else await endWithout(record, state, exit, runDir);
  } finally {
    await leave(state);
    await turn.end();
    release();
  }
}

const ALONE: GpuTurn = { begin: async () => undefined, hear: () => undefined, end: async () => undefined };

function openTurn({ gpu }: TrainingRequest, state: State, { run, record }: Pick<Opened, "run" | "record">): GpuTurn {
  if (gpu === undefined) return ALONE;
  return gpu({
    job: run.id,
    name: run.outputName,
    command: (type) => state.child?.send({ type }),
    tell(event) {
      try {
        record.add(event);
      } catch {
        // A full disk; the trainer meets it as well and says so.
      }
    },
  });
}

async function prepare({ paths, runDir, onProgress }: TrainingRequest, state: State, record: RunRecord): Promise<string> {
  const { signal } = state.preparation;
  signal.throwIfAborted();
  record.add({ type: "status", time: Date.now(), status: "preparing" });
  const say = (line: string) => {
    record.log(line);
    onProgress?.(line);
  };
  await waitForFormerTrainer(runDir, say, signal);
  let told = false;
  const tell = (line: string) => {
    if (!told) record.add({ type: "stage", time: Date.now(), stage: "installing", done: 0, total: 1 });
    told = true;
    say(line);
  };
  const { python } = await ensureTrainer(paths, { onProgress: tell, signal });
  signal.throwIfAborted();
  return python;
}

// The trainer has had its last word; it is only leaving.
function isOver(status: JobStatus | undefined): boolean {
  return status === "paused" || status === "stopped" || status === "failed" || status === "finished";
}

async function endWithout(record: RunRecord, state: State, exit: TrainerExit, runDir: string): Promise<void> {
  const { status } = record.job();
  // A stop that came while it was leaving for a pause is granted as well.
  const told = status === "stopped" || status === "failed" || (status === "paused" && state.wanted !== "stop");
  if (told) return;
  if (state.wanted === "stop") record.add({ type: "status", time: Date.now(), status: "stopped" });
  else record.add({ type: "failed", time: Date.now(), ...(await crashOf(exit, join(runDir, "trainer.log"))) });
}

// A trainer that is still there when something here failed saves its state and goes, before the GPU is given back.
async function leave(state: State): Promise<void> {
  state.child?.closeInput();
  // How it ended no longer matters, only that it has.
  await state.child?.exited.catch(() => undefined);
  state.child = null;
}

async function endWith(record: RunRecord, state: State, error: unknown): Promise<void> {
  if (state.preparation.signal.aborted && state.wanted !== null)
    record.add({ type: "status", time: Date.now(), status: state.wanted === "stop" ? "stopped" : "paused" });
  else record.addLast({ type: "failed", time: Date.now(), ...failureOf(error) });
}
