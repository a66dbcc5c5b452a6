import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { Run } from "../../protocol/plan.js";
import { GridSettings } from "../../protocol/settings.js";
import type { TrainerEvent } from "../../protocol/trainer.js";
import { scanDataset } from "../dataset/scan.js";
import { readBaseModel } from "../library/base-model.js";
import type { HomePaths } from "../paths.js";
import { makePlan } from "../plan/make-plan.js";
import { writePlanFile } from "../plan/plan-file.js";
import { trainerDevice } from "../trainer/device.js";
import { crashOf } from "../trainer/failure-of.js";
import { startTrainerProcess } from "../trainer/trainer-process.js";
import { ensureTrainer } from "../trainer/venv.js";

type Losses = { trainLoss: number; heldOutLoss: number | null; drift: number };

/** Stable losses at weight 1 of the base model, of the LoRA as it was and of the new one: same pictures, noise and timesteps. */
export type ResizeProof = { base: Losses; before: Losses; after: Losses };

/** Measures both LoRAs on the pictures of `dataset` upon `base`. Throws what the scan, the plan or the trainer says went wrong. */
export async function proveResize(
  paths: HomePaths,
  { base, dataset, before, after }: { base: string; dataset: string; before: string; after: string },
  onProgress: (line: string) => void,
): Promise<ResizeProof> {
  const { python } = await ensureTrainer(paths, { onProgress });
  await mkdir(paths.cacheDir, { recursive: true });
  const runDir = await mkdtemp(join(paths.cacheDir, "resize-"));
  try {
    await writeRun(paths, { runDir, base, dataset, files: [before, after] });
    const [first, second, third] = await review(python, runDir, onProgress);
    if (first && second && third) return { base: first, before: second, after: third };
    throw new FailureError("crashed", "The measurement ended before both LoRAs were measured; try it again.");
  } finally {
    await rm(runDir, { recursive: true, force: true });
  }
}

/** The folder of a run whose two epochs are the LoRA before and after. */
async function writeRun(
  paths: HomePaths,
  { runDir, base, dataset, files }: { runDir: string; base: string; dataset: string; files: readonly string[] },
): Promise<void> {
  const [baseModel, scanned, device] = await Promise.all([readBaseModel(base), scanDataset(dataset), trainerDevice(paths)]);
  const settings = { outputName: "resized", epochs: 2, grid: GridSettings.parse({ enabled: false, weights: [1] }) };
  const plan = makePlan({ dataset: scanned, baseModel, settings, now: Date.now(), ...(device && { device }) });
  const names = ["before.safetensors", "after.safetensors"];
  await Promise.all(files.map((file, index) => copyFile(file, join(runDir, names[index] ?? ""))));
  const run: Run = {
    id: "resize",
    planId: plan.id,
    loraDir: runDir,
    outputName: "resized",
    files: names,
    createdAt: 0,
    cacheDir: paths.cacheDir,
  };
  await writePlanFile(join(runDir, "plan.json"), plan);
  await writeFile(join(runDir, "run.json"), JSON.stringify(run));
}

async function review(python: string, runDir: string, onProgress: (line: string) => void): Promise<Losses[]> {
  const logFile = join(runDir, "trainer.log");
  const losses: Losses[] = [];
  const failures: Extract<TrainerEvent, { type: "failed" }>[] = [];
  const child = startTrainerProcess({
    python,
    args: ["review", runDir],
    logFile,
    onEvent(event) {
      if (event.type === "evaluated") losses.push({ trainLoss: event.trainLoss, heldOutLoss: event.heldOutLoss, drift: event.drift });
      if (event.type === "stage" && event.total > 0) onProgress(`${event.stage}: ${event.done} of ${event.total}`);
      if (event.type === "failed") failures.push(event);
    },
  });
  const exit = await child.exited;
  const failed = failures.at(-1);
  if (failed) throw new FailureError(failed.code, failed.message, failed.details);
  if (exit.code === 0) return losses;
  const { code, message, details } = await crashOf(exit, logFile, "Try the measurement again.");
  throw new FailureError(code, message, details);
}
