import { z } from "zod";
import { GridSettings } from "./settings.js";

/** `python -m trainer grid request.json`: draws loras × weights × prompts × seeds and the no-LoRA column once. */
export const GridRequest = z.object({
  baseModelPath: z.string(),
  loras: z.array(z.object({ file: z.string(), label: z.string(), epoch: z.int().positive() })).min(1),
  settings: GridSettings,
  width: z.int().positive(),
  height: z.int().positive(),
  clipSkip: z.int().min(1).max(12),
  precision: z.enum(["no", "fp16", "bf16"]),
  /** As in the settings of a plan. */
  vae: z.string().optional(),
  predictionType: z.enum(["auto", "epsilon", "v"]).optional(),
  outDir: z.string(),
  /** Cells in one UNet call; null: chosen by the trainer. */
  maxBatch: z.int().positive().nullable(),
});
export type GridRequest = z.infer<typeof GridRequest>;

/** One picture of a grid. `epoch` 0 is the no-LoRA column, shared by all epochs; its weight is 0. */
export const Cell = z.object({
  epoch: z.int().nonnegative(),
  weight: z.number(),
  /** Index into the grid's prompts. */
  prompt: z.int().nonnegative(),
  seed: z.int().nonnegative(),
  /** Path of the PNG below the grid's folder, with `/`. */
  file: z.string(),
});
export type Cell = z.infer<typeof Cell>;

/** What a detector saw in a cell, relative to the no-LoRA cell and the training pictures. */
export const CellFlag = z.enum(["black", "fried", "contrast", "crunchy", "mush", "banding", "copy", "leak", "collapse"]);
export type CellFlag = z.infer<typeof CellFlag>;

export const JudgedCell = Cell.extend({ flags: z.array(CellFlag) });
export type JudgedCell = z.infer<typeof JudgedCell>;

/** One clause of the verdict; `cells` are outlined when it is pointed at. */
export const Reason = z.object({
  text: z.string(),
  cells: z.array(z.object({ epoch: z.int(), weight: z.number() })),
});
export type Reason = z.infer<typeof Reason>;

/** Which epoch, up to which weight, and why. Scores are per epoch, higher is better, after smoothing over neighbours. */
export const Verdict = z.object({
  epoch: z.int().positive(),
  /** The weight to start with. */
  weight: z.number(),
  /** Highest drawn weight that breaks nothing at `epoch`. */
  maxWeight: z.number(),
  sentence: z.string(),
  reasons: z.array(Reason),
  scores: z.array(
    z.object({ epoch: z.int(), likeness: z.number(), flexibility: z.number(), combined: z.number(), breakWeight: z.number().nullable() }),
  ),
  /** Next best epochs, best first. */
  alternatives: z.array(z.int()),
});
export type Verdict = z.infer<typeof Verdict>;

/** grid.json: the whole grid as data, kept beside its cells. */
export const Grid = z.object({
  gridVersion: z.literal(1),
  baseModel: z.string(),
  width: z.int(),
  height: z.int(),
  clipSkip: z.int(),
  settings: GridSettings,
  rows: z.array(z.object({ epoch: z.int().positive(), file: z.string(), label: z.string() })),
  cells: z.array(JudgedCell),
  /** The labelled PNG sheet below the grid's folder. */
  sheet: z.string(),
  /** Null for a grid that has no measured losses, such as one of the command line over foreign LoRAs. */
  verdict: Verdict.nullable(),
});
export type Grid = z.infer<typeof Grid>;
