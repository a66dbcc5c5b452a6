import { join, resolve } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { applyEvent, type Job, type JobEvent } from "../../protocol/job.js";
import { homePaths } from "../paths.js";
import { readPlanFile } from "../plan/plan-file.js";
import { jobOfRun, openRun, readEvents } from "../trainer/run.js";
import { runTraining, type Training } from "../trainer/run-training.js";
import { defineCommand } from "./command.js";
import type { Output } from "./output.js";
import { showProgress } from "./train-progress.js";

export const trainCommand = defineCommand({
  words: "train",
  summary: "train a plan, or go on with its run that was cut off",
  help: `train PLAN [--models DIR]

PLAN is a plan.json of \`train-lora plan\`. A run of this plan into this folder that was cut off goes on where it stood;
else a new one begins. Ctrl-C saves the state and leaves; the same command goes on.

  --models DIR   the folder for the LoRA files (default: models/Lora in the home)
  --json         one JSON event a line

Example: train-lora train plan.json --models ~/stable-diffusion-webui/models/Lora`,
  options: { models: { type: "string" } },
  positionals: ["PLAN"],
  async run({ values, positionals: [file = ""], home, out }) {
    const paths = homePaths(home);
    const plan = await readPlanFile(resolve(file));
    const loraDir = values.models === undefined ? paths.loraDir : resolve(values.models);
    const { run, runDir, resumed } = await openRun({ paths, plan, loraDir });
    if (resumed && !out.json) out.note(`Going on with the run ${run.id} of this plan.`);
    const before = (await readEvents(runDir)).reduce(applyEvent, jobOfRun(run, plan));
    const progress = showProgress({ job: before, terminal: out.terminal, write: out.progress });
    const training = runTraining({
      paths,
      runDir,
      onEvent: (event) => tell(event, out, progress.add),
      ...(out.json ? {} : { onProgress: out.note }),
    });
    const ignoreSignals = pauseOnSignals(training, out);
    await training.done;
    ignoreSignals();
    progress.end();
    return conclude({ job: progress.job(), loraDir, files: run.files, runDir, out });
  },
});

function tell(event: JobEvent, out: Output, add: (event: JobEvent) => void): void {
  add(event);
  if (out.json) out.text(JSON.stringify(event));
}

// A terminal sends Ctrl-C to this process only: the trainer lives in a group of its own and is asked on its stdin.
function pauseOnSignals(training: Training, out: Output): () => void {
  let asked = false;
  const pause = () => {
    if (asked) process.exit(1);
    asked = true;
    out.note("\nSaving the state after the current step … (Ctrl-C again leaves at once)");
    training.pause();
  };
  process.on("SIGINT", pause);
  process.on("SIGTERM", pause);
  return () => {
    process.off("SIGINT", pause);
    process.off("SIGTERM", pause);
  };
}

function conclude({
  job,
  loraDir,
  files,
  runDir,
  out,
}: {
  job: Job;
  loraDir: string;
  files: readonly string[];
  runDir: string;
  out: Output;
}): number {
  if (job.status === "failed" && job.failure !== null) throw new FailureError(job.failure.code, job.failure.message, job.failure.details);
  if (job.status !== "finished") {
    out.note(`Paused at step ${job.step} of ${job.totalSteps}; the state is saved. The same command goes on from there.`);
    return 1;
  }
  if (out.json) return 0;
  const last = files.at(-1);
  const lines = [`${job.saves.length} LoRA files in ${loraDir}${last === undefined ? "" : `, the last one is ${last}`}`];
  if (job.verdict !== null) lines.unshift(job.verdict.sentence);
  if (job.sheet !== null) lines.push(`Grid: ${join(runDir, "grid", job.sheet)}`);
  if (job.report !== null) lines.push(`Report: ${join(runDir, job.report)}`);
  out.text(lines.join("\n"));
  return 0;
}
