import { writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plan, Run } from "../../../protocol/plan.js";
import type { TrainerCommand, TrainerEvent } from "../../../protocol/trainer.js";
import { exportConfig, scriptOf } from "../../plan/kohya/export-config.js";
import { exportDataset } from "../../plan/kohya/export-dataset.js";
import { PID_FILE } from "../former-trainer.js";
import { startTrainerProcess, type TrainerExit, type TrainerProcess } from "../trainer-process.js";
import { type FollowedRun, followRun } from "./follow-run.js";
import { newestState, removeStates } from "./saved-state.js";
import type { SdScripts } from "./sd-scripts.js";
import { type SdScriptsProcess, startSdScriptsProcess } from "./sd-scripts-process.js";
import { layTokenizers } from "./tokenizers.js";
import { makeTrainingFolders } from "./training-folders.js";

export type SdScriptsRequest = {
  readonly sdScripts: SdScripts;
  /** Our own trainer's Python, which measures and draws what sd-scripts has trained. */
  readonly python: string;
  readonly plan: Plan;
  readonly run: Run;
  readonly runDir: string;
  readonly cacheDir: string;
  readonly onEvent: (event: TrainerEvent) => void;
};

type State = {
  wanted: "pause" | "stop" | null;
  child: SdScriptsProcess | null;
  review: TrainerProcess | null;
  /** Each refusal is told once. */
  readonly told: Set<string>;
};

/** What our trainer does while it trains, and sd-scripts can't. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["park", "sd-scripts can't lend the GPU while it trains; the WebUI waits until the training has ended, or stop the run."],
  ["saveNow", "sd-scripts saves at the end of each epoch only."],
  ["stopAndSave", "sd-scripts saves at the end of each epoch only, so the steps since then are lost."],
  ["sampleNow", "What sd-scripts trains is drawn when it has ended."],
  ["extend", "sd-scripts can't be given more epochs while it trains; plan the run again with more."],
]);

/**
 * Trains a run with sd-scripts and has our own trainer measure and draw its epochs when it has ended, so that the same events come as from
 * `python -m trainer train`. sd-scripts can neither pause nor lend the GPU: a pause ends it, and the run goes on from the end of its last epoch.
 */
export function startSdScripts(request: SdScriptsRequest): TrainerProcess {
  const state: State = { wanted: null, child: null, review: null, told: new Set() };

  function send(command: TrainerCommand): void {
    const wanted = command.type === "pause" ? "pause" : command.type.startsWith("stop") ? "stop" : null;
    if (state.review !== null) state.review.send(command);
    else if (wanted !== null) {
      state.wanted = state.wanted === "stop" ? "stop" : wanted;
      state.child?.kill();
    }
    const refusal = REFUSALS.get(command.type);
    if (refusal !== undefined && state.review === null && !state.told.has(refusal)) {
      state.told.add(refusal);
      request.onEvent({ type: "warning", time: Date.now(), message: refusal });
    }
  }

  return {
    pid: undefined,
    send,
    closeInput: () => send({ type: "pause" }),
    kill() {
      state.child?.kill();
      state.review?.kill();
    },
    exited: work(request, state),
  };
}

const DONE: TrainerExit = { code: 0, signal: null, notStarted: null };

async function work(request: SdScriptsRequest, state: State): Promise<TrainerExit> {
  const { plan, run, runDir, onEvent } = request;
  const outDir = join(runDir, "kohya", "out");
  const followed = followRun({ plan, run, runDir, onEvent, stop: () => state.child?.kill() });
  if (!(await followed.isTrained(outDir))) {
    const resumed = await newestState(outDir, run.outputName);
    const before = resumed?.epoch ?? 0;
    await writeConfig(request, outDir, resumed);
    if (state.wanted === null) {
      const exit = await trainOnce(request, state, { followed, before });
      const ended = await followed.end(exit, { wanted: state.wanted, epochsBefore: await epochsIn(outDir, run) });
      if (ended) return exit;
    } else {
      onEvent(leaving(state.wanted, before * plan.stepsPerEpoch));
      return DONE;
    }
  }
  await removeStates(outDir);
  return review(request, state, followed.trainSeconds());
}

async function epochsIn(outDir: string, run: Run): Promise<number> {
  return (await newestState(outDir, run.outputName))?.epoch ?? 0;
}

async function writeConfig(
  { plan, run, runDir, cacheDir }: SdScriptsRequest,
  outDir: string,
  resumed: Awaited<ReturnType<typeof newestState>>,
): Promise<void> {
  const folder = join(runDir, "kohya");
  await mkdir(outDir, { recursive: true });
  const subsets = await makeTrainingFolders(plan, join(folder, "pictures"));
  await writeFile(join(folder, "dataset.toml"), exportDataset(subsets));
  const places = { baseModel: plan.baseModel, outputName: run.outputName, outputDir: outDir, datasetConfig: join(folder, "dataset.toml") };
  const more = {
    tokenizer_cache_dir: await layTokenizers(join(cacheDir, "tokenizers")),
    save_state: true,
    save_last_n_epochs_state: 1,
    // The epoch is told, because sd-scripts' own count in the state leaves accumulated batches out.
    ...(resumed && { resume: resumed.dir, initial_epoch: resumed.epoch + 1 }),
  };
  await writeFile(join(folder, "config.toml"), exportConfig(plan.settings, places, more));
}

async function trainOnce(
  { sdScripts, plan, runDir }: SdScriptsRequest,
  state: State,
  { followed, before }: { followed: FollowedRun; before: number },
): Promise<TrainerExit> {
  const child = startSdScriptsProcess({
    sdScripts,
    script: scriptOf(plan.baseModel),
    config: join(runDir, "kohya", "config.toml"),
    precision: plan.settings.mixedPrecision,
    logFile: join(runDir, "trainer.log"),
    onText: (text) => followed.read(text, before),
  });
  state.child = child;
  if (child.pid !== undefined) writeFileSync(join(runDir, PID_FILE), String(child.pid));
  followed.begin(child.pid ?? 0, before);
  const exit = await child.exited;
  state.child = null;
  return exit;
}

/** What our trainer says of the files; its end is the run's, and its failure costs the pictures, not the LoRAs. */
async function review({ python, plan, runDir, onEvent }: SdScriptsRequest, state: State, trainSeconds: number): Promise<TrainerExit> {
  if (state.wanted !== null) {
    onEvent(leaving(state.wanted, plan.totalSteps));
    return DONE;
  }
  let isOver = false;
  const child = startTrainerProcess({
    python,
    args: ["review", runDir],
    logFile: join(runDir, "trainer.log"),
    onEvent(event) {
      isOver ||= ["finished", "paused", "stopped", "failed"].includes(event.type);
      if (event.type === "failed") onEvent({ type: "warning", time: event.time, message: `${NOT_REVIEWED} ${event.message}` });
      else onEvent(event.type === "finished" ? { ...event, trainSeconds, computeSeconds: trainSeconds } : event);
      if (event.type === "failed") onEvent(finishedAt(plan, trainSeconds));
    },
  });
  state.review = child;
  const exit = await child.exited;
  state.review = null;
  if (isOver) return exit;
  onEvent({ type: "warning", time: Date.now(), message: `${NOT_REVIEWED} The end of the run's log says more.` });
  onEvent(finishedAt(plan, trainSeconds));
  return DONE;
}

const NOT_REVIEWED = "The LoRAs that sd-scripts has trained are there, but they could not be measured and drawn.";

function finishedAt(plan: Plan, trainSeconds: number): TrainerEvent {
  return {
    type: "finished",
    time: Date.now(),
    step: plan.totalSteps,
    trainSeconds,
    computeSeconds: trainSeconds,
    gridSeconds: 0,
    peakRssMb: 0,
  };
}

function leaving(wanted: "pause" | "stop", step: number): TrainerEvent {
  return { type: wanted === "pause" ? "paused" : "stopped", time: Date.now(), step };
}
