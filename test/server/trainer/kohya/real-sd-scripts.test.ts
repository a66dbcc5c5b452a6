import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { applyEvent, type JobEvent } from "../../../../protocol/job.js";
import { GridSettings } from "../../../../protocol/settings.js";
import { scanDataset } from "../../../../server/dataset/scan.js";
import { readBaseModel } from "../../../../server/library/base-model.js";
import { homePaths } from "../../../../server/paths.js";
import { makePlan } from "../../../../server/plan/make-plan.js";
import { findSdScripts } from "../../../../server/trainer/kohya/sd-scripts.js";
import { jobOfRun, openRun } from "../../../../server/trainer/run.js";
import { runTraining } from "../../../../server/trainer/run-training.js";
import { writePictures } from "../../temp-home.js";

// On two busy cores a step at Stable Diffusion 1.5's size takes half a minute.
vi.setConfig({ testTimeout: 3_600_000, hookTimeout: 600_000 });

const isThere = Boolean(process.env.SD_SCRIPTS_DIR);
const why = isThere ? "" : " (skipped: SD_SCRIPTS_DIR names no checkout of sd-scripts)";

let folder = "";
beforeAll(async () => {
  if (isThere) folder = await mkdtemp(join(tmpdir(), "train-lora-real-"));
});
afterAll(async () => {
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

/** SD_SCRIPTS_BASE, or one with random weights that is made here. */
async function baseFile(): Promise<string> {
  const named = process.env.SD_SCRIPTS_BASE;
  if (named) return named;
  const { dir, python } = findSdScripts();
  const file = join(folder, "random.safetensors");
  await execa(python, [fileURLToPath(new URL("../../../fixtures/trainers/make_sd15.py", import.meta.url)), dir, file], { cwd: dir });
  return file;
}

test.skipIf(!isThere)(`the real sd-scripts makes the plan's buckets, repeats, steps and files${why}`, async () => {
  const pictures = join(folder, "pictures");
  await writePictures(join(pictures, "2_good"), 5);
  await writePictures(join(pictures, "1_weak"), 2);
  const paths = homePaths(join(folder, "home"));
  await mkdir(paths.loraDir, { recursive: true });
  const plan = makePlan({
    dataset: await scanDataset(pictures),
    baseModel: await readBaseModel(await baseFile()),
    settings: {
      engine: "kohya",
      outputName: "real",
      targetSteps: 6,
      epochs: 1,
      batchSize: 3,
      networkDim: 4,
      heldOutImages: 1,
      resolution: { width: 256, height: 256 },
      minBucketReso: 128,
      maxBucketReso: 512,
      bucketResoSteps: 64,
      maxTokenLength: 75,
      grid: GridSettings.parse({ enabled: false, weights: [1] }),
    },
    now: 1,
  });
  const { run, runDir } = await openRun({ paths, plan, loraDir: paths.loraDir });
  const events: JobEvent[] = [];
  await runTraining({ paths, runDir, onEvent: (event) => events.push(event) }).done;
  const job = events.reduce(applyEvent, jobOfRun(run, plan));
  if (process.env.SD_SCRIPTS_LOG) await copyFile(join(runDir, "trainer.log"), process.env.SD_SCRIPTS_LOG);
  expect(job.failure).toBeNull();
  // Each of sd-scripts' counts that differs from the plan's would be a warning.
  expect(job.warnings).toEqual([]);
  const log = await readFile(join(runDir, "trainer.log"), "utf8");
  expect(log).toMatch(new RegExp(`num train images \\* repeats[^:]*: ${plan.samplesPerEpoch}\\n`));
  expect(log).toMatch(new RegExp(`num batches per epoch[^:]*: ${plan.stepsPerEpoch}\\n`));
  expect(log).toMatch(new RegExp(`total optimization steps[^:]*: ${plan.totalSteps}\\n`));
  expect(log.match(/bucket \d+: resolution/g)).toHaveLength(plan.buckets.length);
  expect(job).toMatchObject({ status: "finished", step: plan.totalSteps });
  expect(events.filter(({ type }) => type === "step")).toHaveLength(plan.totalSteps);
  expect(job.evaluations.map(({ epoch }) => epoch)).toEqual([0, 1]);
  expect(existsSync(join(paths.loraDir, "real.safetensors"))).toBe(true);
});
