import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Grid } from "../../protocol/grid.js";
import { applyEvent, type Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import type { TrainerEvent } from "../../protocol/trainer.js";
import { writeGridFile } from "../grid/grid-file.js";
import { judgeGrid } from "../grid/judge.js";
import { writeReport } from "../grid/report.js";
import { failureOf } from "./failure-of.js";
import type { RunRecord } from "./run-record.js";

export type Finished = Extract<TrainerEvent, { type: "finished" }>;

/** Flags the cells that are drawn so far, words the verdict, and keeps both in grid.json. */
export async function judgeRun({ plan, runDir, job }: { plan: Plan; runDir: string; job: Job }): Promise<Grid> {
  const gridDir = join(runDir, "grid");
  const grid = await judgeGrid({
    gridDir,
    rows: job.saves.map(({ epoch, file }) => ({ epoch, file, label: `epoch ${epoch}` })),
    cells: job.cells,
    settings: plan.settings.grid,
    width: plan.settings.resolution.width,
    height: plan.settings.resolution.height,
    clipSkip: plan.settings.clipSkip,
    baseModel: plan.baseModel.name,
    sheet: job.sheet ?? "sheet.png",
    evaluations: job.evaluations,
    trainingImages: plan.images.filter((image) => !image.heldOut).map((image) => join(plan.dataset.root, ...image.id.split("/"))),
    triggerWord: plan.dataset.triggerWord,
    subject: plan.settings.subject,
  });
  await writeGridFile(gridDir, grid);
  return grid;
}

/** The last verdict, the report, and then the end of the run, which is told even when one of them could not be made. */
export async function finishRun({
  plan,
  loraDir,
  runDir,
  record,
  finished,
}: {
  plan: Plan;
  loraDir: string;
  runDir: string;
  record: RunRecord;
  finished: Finished;
}): Promise<void> {
  try {
    const drawn = record.job().sheet !== null;
    const grid = drawn ? await judgeRun({ plan, runDir, job: record.job() }) : null;
    // The judgement of the last epoch's sheet has mostly said the same a moment ago.
    if (grid?.verdict && !isDeepStrictEqual(grid.verdict, record.job().verdict))
      record.add({ type: "verdict", time: Date.now(), verdict: grid.verdict });
    const file = "report.html";
    const job = applyEvent(record.job(), finished);
    await writeReport({ job, plan, grid, gridDir: join(runDir, "grid"), loraDir, file: join(runDir, file) });
    record.add({ type: "report", time: Date.now(), file });
  } catch (error) {
    record.add({
      type: "warning",
      time: Date.now(),
      message: `The LoRAs are finished, but their report could not be written: ${failureOf(error).message}`,
    });
  }
  record.add({ ...finished, time: Date.now() });
}
