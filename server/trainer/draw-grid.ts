import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { Cell, Grid, GridRequest } from "../../protocol/grid.js";
import type { TrainerEvent } from "../../protocol/trainer.js";
import { writeGridFile } from "../grid/grid-file.js";
import { judgeGrid } from "../grid/judge.js";
import type { HomePaths } from "../paths.js";
import { crashOf } from "./failure-of.js";
import { startTrainerProcess } from "./trainer-process.js";
import { ensureTrainer } from "./venv.js";

export type DrawRequest = {
  readonly paths: HomePaths;
  readonly request: GridRequest;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Draws LoRA files that need not be ours into `request.outDir`: cells, sheet.png and grid.json, without a verdict, because nothing was
 * measured. `signal` ends the drawing. Throws what the trainer says went wrong.
 */
export async function drawGrid({ paths, request, onProgress, signal }: DrawRequest): Promise<Grid> {
  const { python } = await ensureTrainer(paths, { onProgress, signal });
  await mkdir(request.outDir, { recursive: true });
  const requestFile = join(request.outDir, "request.json");
  await writeFile(requestFile, `${JSON.stringify(request, null, 2)}\n`);
  const drawn = await runGrid(python, requestFile, { request, onProgress, signal });
  const grid = await judgeGrid({
    gridDir: request.outDir,
    rows: request.loras,
    cells: drawn.cells,
    settings: request.settings,
    width: request.width,
    height: request.height,
    clipSkip: request.clipSkip,
    baseModel: basename(request.baseModelPath).replace(/\.[^.]+$/, ""),
    sheet: drawn.sheet,
    evaluations: [],
    trainingImages: [],
    triggerWord: "",
  });
  await writeGridFile(request.outDir, grid);
  return grid;
}

async function runGrid(
  python: string,
  requestFile: string,
  { request, onProgress, signal }: Omit<DrawRequest, "paths">,
): Promise<{ cells: Cell[]; sheet: string }> {
  const logFile = join(request.outDir, "trainer.log");
  const cells: Cell[] = [];
  let sheet = "sheet.png";
  const ends: Extract<TrainerEvent, { type: "finished" | "failed" }>[] = [];
  const child = startTrainerProcess({
    python,
    args: ["grid", requestFile],
    logFile,
    onEvent(event) {
      if (event.type === "cell")
        cells.push({ epoch: event.epoch, weight: event.weight, prompt: event.prompt, seed: event.seed, file: event.file });
      if (event.type === "sheet") sheet = event.file;
      if (event.type === "stage" && event.total > 0) onProgress(`${event.stage}: ${event.done} of ${event.total}`);
      if (event.type === "finished" || event.type === "failed") ends.push(event);
    },
  });
  signal?.addEventListener("abort", child.kill, { once: true });
  const exit = await child.exited;
  signal?.removeEventListener("abort", child.kill);
  signal?.throwIfAborted();
  const end = ends.at(-1);
  if (end?.type === "failed") throw new FailureError(end.code, end.message, end.details);
  if (end === undefined) {
    const { code, message, details } = await crashOf(exit, logFile, "Draw the grid again.");
    throw new FailureError(code, message, details);
  }
  return { cells, sheet };
}
