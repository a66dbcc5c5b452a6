import { join } from "node:path";
import { execa } from "execa";
import { Dataset, FixReport, ImportReport } from "../../protocol/dataset.js";
import { FailureError } from "../../protocol/errors.js";
import { hasEnded, type Job, newJob } from "../../protocol/job.js";
import { ResultOf } from "../../protocol/messages.js";
import type { Plan } from "../../protocol/plan.js";
import { showProgress } from "../cli/train-progress.js";
import type { HomePaths } from "../paths.js";
import { trainerEnvironment } from "../trainer/trainer-process.js";
import { trainerFolder } from "../trainer/venv.js";
import type { Connection } from "./connect.js";
import { BASE_MODEL, DATA_SEED, SETTINGS, TRIGGER_WORD } from "./settings.js";

export type WalkRequest = {
  readonly connection: Connection;
  readonly paths: HomePaths;
  readonly python: string;
  readonly terminal: boolean;
  /** A line for the person who watches. */
  readonly say: (line: string) => void;
};

/** The main job from pictures to verdict, all of it by the protocol that the page speaks. */
export async function walkTheRoad({ connection, paths, python, terminal, say }: WalkRequest): Promise<{ job: Job; plan: Plan }> {
  const pictures = join(paths.home, "demo-pictures");
  say("Drawing pictures of a made-up creature …");
  await execa(python, ["-m", "pocket.demo_dataset", pictures, "--seed", String(DATA_SEED)], {
    cwd: trainerFolder(),
    env: trainerEnvironment(),
    extendEnv: false,
    stdin: "ignore",
  });
  const dataset = await importPictures(connection, pictures, say);
  await clean(connection, dataset, say);
  const request = { dataset, baseModel: BASE_MODEL, settings: SETTINGS };
  const plan = await connection.request({ type: "plan", ...request }, ResultOf.plan);
  say(`Plan: ${plan.images.length} pictures, ${plan.settings.epochs} epochs × ${plan.stepsPerEpoch} steps = ${plan.totalSteps} steps.`);
  for (const { message } of plan.warnings) say(`  ${message}`);
  const { job } = await connection.request({ type: "enqueue", ...request }, ResultOf.enqueue);
  const others = connection.snapshot.jobs.filter(({ status }) => !["paused", "stopped", "finished", "failed"].includes(status));
  if (others.length > 0)
    say(`Waiting for ${others.map(({ name }) => name).join(", ")}, which ${others.length === 1 ? "is" : "are"} in the queue before it.`);
  return { job: await follow(connection, job, plan, { terminal }), plan };
}

async function importPictures(connection: Connection, source: string, say: (line: string) => void): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? TRIGGER_WORD : `${TRIGGER_WORD}-${number}`;
    try {
      const report = await connection.request({ type: "importDataset", source, name }, ImportReport);
      say(`Imported ${report.images} pictures with ${report.captions} captions as ${report.name}.`);
      return report.name;
    } catch (error) {
      if (!(error instanceof FailureError) || error.failure.code !== "dataset_exists") throw error;
    }
  }
}

async function clean(connection: Connection, dataset: string, say: (line: string) => void): Promise<void> {
  await connection.request({ type: "setTriggerWord", dataset, triggerWord: TRIGGER_WORD }, ResultOf.setTriggerWord);
  const before = await connection.request({ type: "scanDataset", dataset }, Dataset);
  say(`Found ${before.problems.length} kinds of problems:`);
  for (const { code, images } of before.problems) say(`  ${code}: ${images.length} ${images.length === 1 ? "picture" : "pictures"}`);
  const fixed = await connection.request({ type: "fixDataset", dataset, dryRun: false }, FixReport);
  const after = await connection.request({ type: "scanDataset", dataset }, Dataset);
  const left = after.problems.map(({ code, images }) => `${code} (${images.length})`).join(", ");
  say(
    `Fixed with ${fixed.changes.length} changes; the originals are kept. ${left ? `Left for a person to decide: ${left}.` : "Nothing is left."}`,
  );
}

async function follow(connection: Connection, id: string, plan: Plan, { terminal }: { terminal: boolean }): Promise<Job> {
  const start = newJob({
    id,
    name: plan.settings.outputName,
    dataset: plan.dataset.name,
    baseModel: plan.baseModel.name,
    createdAt: Date.now(),
    totalSteps: plan.totalSteps,
    epochs: plan.settings.epochs,
  });
  const progress = showProgress({ job: start, terminal, write: (text) => void process.stderr.write(text) });
  const ended = new Promise<void>((resolve) => {
    const leave = connection.onJobEvent(id, (event) => {
      progress.add(event);
      if (!hasEnded(progress.job())) return;
      leave();
      resolve();
    });
  });
  try {
    await Promise.race([ended, connection.lost]);
  } finally {
    progress.end();
  }
  return progress.job();
}
