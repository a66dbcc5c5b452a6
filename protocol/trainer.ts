import { z } from "zod";
import { Failure } from "./errors.js";
import { Cell } from "./grid.js";

const time = z.int().describe("milliseconds since 1970");
const event = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) => z.object({ type: z.literal(type), time, ...shape });

/** The stable losses at one epoch and one weight: same noise, timesteps and crops every time, dropout and shuffling off. */
export const Evaluation = z.object({
  weight: z.number(),
  /** Mean squared error on a few training pictures, and on held-out ones (null when the plan holds none out). */
  trainLoss: z.number(),
  heldOutLoss: z.number().nullable(),
  /** Mean squared difference between the predictions with and without the LoRA on the plan's generic prompts. */
  drift: z.number(),
});
export type Evaluation = z.infer<typeof Evaluation>;

/** Work of a run that is not a training step. */
export const TrainerStage = z.enum([
  "installing",
  "waitingForGpu",
  "loadingModel",
  "cachingLatents",
  "measuringBase",
  "drawingBase",
  "drawingGrid",
  "evaluating",
  "saving",
  "drawingSamples",
]);
export type TrainerStage = z.infer<typeof TrainerStage>;

export const TrainerEvent = z.discriminatedUnion("type", [
  /** First line of a run, and again when it goes on after an extension or from an earlier epoch. `step` > 0: from a saved state. */
  event("started", { pid: z.int(), device: z.string(), precision: z.string(), step: z.int(), totalSteps: z.int(), epochs: z.int() }),
  /** Work that is not a training step, for the progress line. `installing` and `waitingForGpu` come from the server. */
  event("stage", {
    stage: TrainerStage,
    done: z.int(),
    total: z.int(),
  }),
  event("step", {
    step: z.int(),
    epoch: z.int(),
    /** Plain mean squared error, so that runs compare whatever their settings. */
    loss: z.number(),
    /** What was really followed, where weights, masks or another measure make it differ. */
    optimizedLoss: z.number().optional(),
    /** Learning rate of the UNet's LoRA. */
    learningRate: z.number(),
    secondsPerStep: z.number(),
    /** Layers whose change max-norm has scaled down after this step; only with scaleWeightNorms. */
    keysScaled: z.int().nonnegative().optional(),
  }),
  /** Epoch 0 is the base model without a LoRA. `atWeights` holds one entry per grid weight; the first fields are weight 1. */
  event("evaluated", { epoch: z.int(), ...Evaluation.omit({ weight: true }).shape, atWeights: z.array(Evaluation) }),
  /** The LoRA of this epoch is in the LoRA folder, complete, under `file` (a name, not a path). */
  event("saved", { epoch: z.int(), step: z.int(), file: z.string(), bytes: z.int(), sshsModelHash: z.string() }),
  /** A LoRA that was asked for in the middle of an epoch, in the LoRA folder like the others. */
  event("savedNow", { step: z.int(), file: z.string(), bytes: z.int(), sshsModelHash: z.string() }),
  /** A picture that was asked for: one of the grid's prompts by the LoRA of this step; `file` is a path below the run's folder. */
  event("sample", { step: z.int(), prompt: z.int().nonnegative(), file: z.string() }),
  event("cell", { ...Cell.shape }),
  /** The sheet below the run's grid folder was drawn anew; all cells of `epoch` are in it. */
  event("sheet", { epoch: z.int(), file: z.string() }),
  /** State on disk: a killed run goes on from here. */
  event("stateSaved", { step: z.int() }),
  event("warning", { message: z.string() }),
  event("paused", { step: z.int() }),
  /** Weights, optimizer and base model are in RAM and the GPU's memory is given back, until `unpark`. */
  event("parked", { step: z.int() }),
  event("unparked", { step: z.int() }),
  event("stopped", { step: z.int() }),
  event("finished", {
    step: z.int(),
    /** Wall seconds: the training loop without grids, of that inside forward/backward/optimizer, and all grids. */
    trainSeconds: z.number(),
    computeSeconds: z.number(),
    gridSeconds: z.number(),
    peakRssMb: z.number(),
  }),
  event("failed", { ...Failure.shape }),
]);
export type TrainerEvent = z.infer<typeof TrainerEvent>;

/** One JSON line on the trainer's stdin. A closed stdin means the same as `pause`. */
export const TrainerCommand = z.discriminatedUnion("type", [
  /** Save the state after the current step and leave; the run can go on later. */
  z.object({ type: z.literal("pause") }),
  /** Save the state after the current step and leave; the user wants no more of it. */
  z.object({ type: z.literal("stop") }),
  /** Save the LoRA as it is after the current step, draw the grid's prompts by it, or save it and then stop. */
  z.object({ type: z.literal("saveNow") }),
  z.object({ type: z.literal("sampleNow") }),
  z.object({ type: z.literal("stopAndSave") }),
  /** run.json has more epochs now: read it again and go on. */
  z.object({ type: z.literal("extend") }),
  /** After the current step (or cell) move everything off the GPU and wait for `unpark`; pause, stop and a closed stdin still count. */
  z.object({ type: z.literal("park") }),
  z.object({ type: z.literal("unpark") }),
]);
export type TrainerCommand = z.infer<typeof TrainerCommand>;
