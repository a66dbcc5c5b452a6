import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Plan, Run } from "../../../protocol/plan.js";
import type { TrainerEvent } from "../../../protocol/trainer.js";
import type { TrainerExit } from "../trainer-process.js";
import { failureOfOutput } from "./failure-of-output.js";
import { learningRateAt } from "./learning-rate.js";
import { type OutputFact, readBar, readOutput } from "./read-output.js";
import { takeSave } from "./take-save.js";

/** A run of sd-scripts as it is read from its output. */
export type FollowedRun = {
  /** `epochsBefore` epochs were trained by earlier processes. */
  begin(pid: number, epochsBefore: number): void;
  read(text: string, epochsBefore: number): void;
  /** Takes what an earlier process has saved in `outDir` and nobody has moved; true when every epoch's file is in the LoRA folder. */
  isTrained(outDir: string): Promise<boolean>;
  /** Says how it ended, unless every epoch is trained; true when the run is over for now. */
  end(exit: TrainerExit, why: { wanted: "pause" | "stop" | null; epochsBefore: number }): Promise<boolean>;
  /** Wall seconds of this process's training, without its preparation. */
  trainSeconds(): number;
};

type Request = {
  readonly plan: Plan;
  readonly run: Run;
  readonly runDir: string;
  readonly onEvent: (event: TrainerEvent) => void;
  /** Ends sd-scripts. */
  readonly stop: () => void;
};

type Shown = { readonly step: number; readonly loss: number; readonly secondsPerStep: number };

type State = {
  started: boolean;
  pid: number;
  step: number;
  phase: "" | "loading" | "caching" | "training";
  trainingSince: number;
  trainedUntil: number;
  nanAt: number | null;
  /** Loss of the last step that was told, and a step that waits for its own. */
  loss: number;
  shown: Shown | null;
  /** Epochs whose file is being written, or waits to be moved. */
  readonly saving: Map<number, string>;
  taking: Promise<void>;
};

export function followRun(request: Request): FollowedRun {
  const { plan, run, onEvent } = request;
  const state: State = {
    started: false,
    pid: 0,
    step: 0,
    phase: "",
    trainingSince: 0,
    trainedUntil: 0,
    nanAt: null,
    loss: Number.NaN,
    shown: null,
    saving: new Map(),
    taking: Promise.resolve(),
  };
  const take = () => {
    state.taking = state.taking.then(() => takeSaves(request, state));
  };
  return {
    begin(pid, before) {
      Object.assign(state, { pid, step: before * plan.stepsPerEpoch });
      stage(onEvent, "loadingModel", 0, 1);
    },
    read(text, before) {
      // Anything that sd-scripts says after it began to save may mean that the file is whole.
      if (state.saving.size > 0) take();
      const fact = readOutput(text);
      if (fact !== null) hear(fact, { request, state, before });
      else readPhase(text, state, onEvent);
    },
    async isTrained(outDir) {
      for (const name of await readdir(outDir).catch(() => [])) {
        const epoch = epochOf(name, run.outputName, plan);
        if (epoch !== null) state.saving.set(epoch, join(outDir, name));
      }
      take();
      await state.taking;
      state.saving.clear();
      return isWhole(run);
    },
    async end(exit, { wanted, epochsBefore }) {
      state.trainedUntil = Date.now();
      if (state.shown !== null) emitStep(state.shown, { request, state, before: 0 });
      take();
      await state.taking;
      return tellEnd(exit, { request, state, wanted, epochsBefore });
    },
    trainSeconds: () => (state.trainingSince === 0 ? 0 : (state.trainedUntil - state.trainingSince) / 1000),
  };
}

type Heard = { readonly request: Request; readonly state: State; readonly before: number };

function hear(fact: OutputFact, { request, state, before }: Heard): void {
  const { plan, run, onEvent } = request;
  switch (fact.kind) {
    case "device":
      start(fact.device, { request, state, before });
      return;
    case "loading":
      state.phase = "loading";
      return;
    case "bucket":
      compareBucket(fact, request);
      return;
    case "count":
      compare(fact, { request, state, before });
      return;
    case "step":
      tellStep(fact, { request, state, before });
      return;
    case "saving": {
      const epoch = epochOf(fact.file, run.outputName, plan);
      if (epoch !== null) state.saving.set(epoch, fact.file);
      stage(onEvent, "saving", 0, 1);
      return;
    }
    default: {
      const unknownFact: never = fact;
      throw new Error(`unknown fact ${String(unknownFact)}`);
    }
  }
}

function start(device: string, { request: { plan, onEvent }, state, before }: Heard): void {
  if (state.started) return;
  state.started = true;
  const precision = plan.settings.mixedPrecision === "no" ? "fp32" : plan.settings.mixedPrecision;
  const { totalSteps } = plan;
  const step = before * plan.stepsPerEpoch;
  onEvent({ type: "started", time: Date.now(), pid: state.pid, device, precision, step, totalSteps, epochs: plan.settings.epochs });
  stage(onEvent, "loadingModel", 0, 1);
}

/** Bars without a name are drawn for many things; only those after sd-scripts says that it caches latents are told. */
function readPhase(text: string, state: State, onEvent: Request["onEvent"]): void {
  if (/caching latents/i.test(text)) {
    state.phase = "caching";
    stage(onEvent, "loadingModel", 1, 1);
  } else if (/import network module/.test(text)) {
    if (state.phase === "caching") stage(onEvent, "cachingLatents", 1, 1);
    state.phase = "training";
  }
  const bar = state.phase === "caching" ? readBar(text) : null;
  if (bar !== null) stage(onEvent, "cachingLatents", bar.done, bar.total);
}

/** What sd-scripts counts is what the plan has promised; where it is not, somebody should know. */
function compare({ what, value }: Extract<OutputFact, { kind: "count" }>, { request: { plan, onEvent }, state }: Heard): void {
  const accumulated = plan.settings.gradientAccumulationSteps;
  const batches = plan.buckets.reduce((sum, bucket) => sum + bucket.batches, 0);
  const promised = {
    samples: plan.samplesPerEpoch,
    stepsPerEpoch: accumulated > 1 ? batches : plan.stepsPerEpoch,
    totalSteps: plan.totalSteps,
  }[what];
  if (what === "totalSteps") state.trainingSince = Date.now();
  if (value === promised) return;
  const words = { samples: "pictures × repeats", stepsPerEpoch: "batches an epoch", totalSteps: "steps" }[what];
  onEvent({ type: "warning", time: Date.now(), message: `sd-scripts counts ${value} ${words}, but the plan promised ${promised}.` });
}

function compareBucket({ width, height, samples }: Extract<OutputFact, { kind: "bucket" }>, { plan, onEvent }: Request): void {
  const promised = plan.buckets.find(({ size }) => size[0] === width && size[1] === height)?.samples ?? 0;
  if (promised === samples) return;
  const message = `sd-scripts counts ${samples} pictures × repeats in the bucket ${width}×${height}, but the plan promised ${promised}.`;
  onEvent({ type: "warning", time: Date.now(), message });
}

/** The bar shows a step first with the loss of the one before and at once again with its own; the latter is what is told. */
function tellStep(fact: Extract<OutputFact, { kind: "step" }>, heard: Heard): void {
  const { state, before, request } = heard;
  const step = before * request.plan.stepsPerEpoch + fact.step;
  if (step <= state.step || state.nanAt !== null) return;
  const shown = state.shown;
  if (shown !== null && shown.step < step) emitStep(shown, heard);
  if (shown?.step !== step && Object.is(fact.loss, state.loss)) state.shown = { ...fact, step };
  else emitStep({ ...fact, step }, heard);
}

function emitStep({ step, loss, secondsPerStep }: Shown, { request: { plan, onEvent, stop }, state }: Heard): void {
  Object.assign(state, { step, loss, shown: null });
  if (!Number.isFinite(loss)) {
    state.nanAt = step;
    stop();
    return;
  }
  const epoch = Math.ceil(step / plan.stepsPerEpoch);
  const learningRate = learningRateAt(plan.settings, step - 1, plan.totalSteps);
  onEvent({ type: "step", time: Date.now(), step, epoch, loss, learningRate, secondsPerStep });
}

function isWhole({ files, loraDir }: Run): boolean {
  return files.every((file) => existsSync(join(loraDir, file)));
}

function epochOf(file: string, outputName: string, plan: Plan): number | null {
  const name = file.split(/[\\/]/).at(-1) ?? "";
  if (name === `${outputName}.safetensors`) return plan.settings.epochs;
  const number = name.startsWith(`${outputName}-`) ? /^(\d{6})\.safetensors$/.exec(name.slice(outputName.length + 1))?.[1] : undefined;
  return number === undefined ? null : Number(number);
}

async function takeSaves({ plan, run, onEvent }: Request, state: State): Promise<void> {
  for (const [epoch, file] of state.saving) {
    const taken = await takeSave(file, { plan, run, epoch });
    if (taken === null) continue;
    state.saving.delete(epoch);
    onEvent({ type: "saved", time: Date.now(), epoch, step: epoch * plan.stepsPerEpoch, ...taken });
    stage(onEvent, "saving", 1, 1);
  }
}

async function tellEnd(
  exit: TrainerExit,
  { request, state, wanted, epochsBefore }: { request: Request; state: State; wanted: "pause" | "stop" | null; epochsBefore: number },
): Promise<boolean> {
  const { plan, run, runDir, onEvent } = request;
  if (isWhole(run)) return false;
  const time = Date.now();
  const goesOn = epochsBefore === 0 ? "begins anew" : `goes on from the end of epoch ${epochsBefore}`;
  if (wanted === "pause") {
    onEvent({ type: "warning", time, message: `sd-scripts has no pause, so it was ended; the run ${goesOn}.` });
    onEvent({ type: "paused", time, step: epochsBefore * plan.stepsPerEpoch });
  } else if (wanted === "stop") onEvent({ type: "stopped", time, step: state.step });
  else if (state.nanAt !== null) {
    const message = `The loss is not finite any more at step ${state.nanAt}, so sd-scripts was ended. Use lower learning rates, or choose bf16 or no mixed precision, and plan the run again.`;
    onEvent({ type: "failed", time, code: "nan_loss", message });
  } else onEvent({ type: "failed", time, ...(await failureOfOutput(exit, join(runDir, "trainer.log"))) });
  return true;
}

function stage(onEvent: Request["onEvent"], name: "loadingModel" | "cachingLatents" | "saving", done: number, total: number): void {
  onEvent({ type: "stage", time: Date.now(), stage: name, done, total });
}
