import type { Cell, CellFlag, Grid, Verdict } from "../../protocol/grid.js";
import type { Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";

/** A place of the grid, whether its picture is there yet or not. The no-LoRA column is epoch 0, weight 0. */
export type Place = { epoch: number; weight: number };

/** A run's grid as the page shows it: what is drawn, and what is still to come. */
export type GridModel = {
  width: number;
  height: number;
  /** Rows, first epoch on top. */
  epochs: number[];
  /** Columns without the no-LoRA one. */
  weights: number[];
  prompts: string[];
  seeds: number[];
  cells: ReadonlyMap<string, Cell>;
  flags: ReadonlyMap<string, CellFlag[]>;
  /** File name of each epoch's LoRA that is saved. */
  files: ReadonlyMap<number, string>;
  verdict: Verdict | null;
  drawn: number;
  expected: number;
};

export const noLora: Place = { epoch: 0, weight: 0 };

/** Puts together what is known: the frozen plan says what will be there, the job what is there, grid.json what was seen in it. */
export function gridModel(job: Job, plan: Plan | null, grid: Grid | null): GridModel {
  const settings = grid?.settings ?? plan?.settings.grid;
  const cells = new Map(job.cells.map((cell) => [cellKey(cell, cell.prompt, cell.seed), cell]));
  const epochs = plan ? range(job.epochs) : unique(job.cells.map((cell) => cell.epoch)).filter((epoch) => epoch > 0);
  const columns = settings?.weights ?? unique(job.cells.filter((cell) => cell.epoch > 0).map((cell) => cell.weight));
  const weights = columns.filter((weight) => weight !== 0);
  const seeds = settings?.seeds ?? unique(job.cells.map((cell) => cell.seed));
  const promptCount = Math.max(1, ...job.cells.map((cell) => cell.prompt + 1));
  const prompts = settings?.prompts.length ? settings.prompts : range(promptCount).map(String);
  return {
    width: grid?.width ?? plan?.settings.resolution.width ?? 1,
    height: grid?.height ?? plan?.settings.resolution.height ?? 1,
    epochs,
    weights,
    prompts,
    seeds,
    cells,
    flags: new Map(
      (grid?.cells ?? []).filter((cell) => cell.flags.length > 0).map((cell) => [cellKey(cell, cell.prompt, cell.seed), cell.flags]),
    ),
    files: new Map(job.saves.map((save) => [save.epoch, save.file])),
    verdict: job.verdict,
    drawn: cells.size,
    expected: prompts.length * seeds.length * (1 + epochs.length * weights.length),
  };
}

/** The drawn cell at a place, or undefined while it is to come. */
export function cellAt(model: GridModel, place: Place, prompt: number, seed: number): Cell | undefined {
  return model.cells.get(cellKey(place, prompt, seed));
}

export function flagsAt(model: GridModel, place: Place, prompt: number, seed: number): CellFlag[] {
  return model.flags.get(cellKey(place, prompt, seed)) ?? [];
}

export function samePlace(a: Place | null, b: Place | null): boolean {
  return a !== null && b !== null && a.epoch === b.epoch && a.weight === b.weight;
}

export function placeKey(place: Place): string {
  return `${place.epoch}|${place.weight}`;
}

/** The neighbour in a direction; column -1 is the no-LoRA one, which every row shares. */
export function neighbour(
  model: GridModel,
  { place, row }: { place: Place; row: number },
  dx: number,
  dy: number,
): { place: Place; row: number } {
  const column = place.epoch === 0 ? -1 : model.weights.indexOf(place.weight);
  const nextColumn = clamp(column + dx, -1, model.weights.length - 1);
  const nextRow = clamp(row + dy, 0, model.epochs.length - 1);
  const weight = model.weights[nextColumn];
  const epoch = model.epochs[nextRow];
  return { row: nextRow, place: weight === undefined || epoch === undefined ? noLora : { epoch, weight } };
}

/** Combined score of an epoch scaled to 0–1 over all epochs; null without a verdict. */
export function relativeScore(verdict: Verdict | null, epoch: number): number | null {
  const scores = verdict?.scores.map((score) => score.combined) ?? [];
  const own = verdict?.scores.find((score) => score.epoch === epoch)?.combined;
  if (own === undefined) return null;
  const low = Math.min(...scores);
  const high = Math.max(...scores);
  return high > low ? (own - low) / (high - low) : 1;
}

function cellKey(place: Place, prompt: number, seed: number): string {
  return `${place.epoch}|${place.weight}|${prompt}|${seed}`;
}

function unique(values: number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
