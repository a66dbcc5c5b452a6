import { randomBytes } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { FailureError } from "../../protocol/errors.js";
import type { Grid } from "../../protocol/grid.js";
import type { Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import { readHeader } from "../library/safetensors.js";
import { html, raw } from "./html.js";
import { reportChart } from "./report-chart.js";
import {
  epochsSection,
  figuresSection,
  filesSection,
  type Pair,
  pairsSection,
  sheetSection,
  verdictSection,
  warningsSection,
} from "./report-sections.js";
import { reportStyle } from "./report-style.js";

export type ReportInput = {
  job: Job;
  plan: Plan;
  /** null when no grid was drawn. */
  grid: Grid | null;
  gridDir: string;
  /** Where the LoRA files lie; without it the report names no hashes. */
  loraDir?: string;
  /** The HTML file to write. */
  file: string;
};

/** Writes the run's report: one HTML file that needs no other file, no script and no network. */
export async function writeReport({ job, plan, grid, gridDir, loraDir, file }: ReportInput): Promise<void> {
  const verdict = grid?.verdict ?? job.verdict;
  const sheet = grid === null ? null : await dataUri(join(gridDir, grid.sheet), SHEET);
  const pairs = grid === null ? [] : await readPairs(grid, gridDir);
  const hashes = await readHashes(job, loraDir);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${job.name}: training report</title><style>${raw(reportStyle)}</style></head>
<body><main><header><h1>${job.name}</h1><p>A LoRA of ${plan.dataset.name} on ${plan.baseModel.name}, ${job.status}${job.endedAt === null ? "" : ` ${new Date(job.endedAt).toISOString().slice(0, 16).replace("T", " ")} UTC`}</p></header>
${verdictSection(verdict, plan, job)}
${pairsSection(pairs, verdict)}
${sheetSection(grid, sheet)}
<h2>Measured after each epoch</h2>${reportChart(job.evaluations, verdict?.epoch ?? null)}${epochsSection(job, verdict)}
${figuresSection(plan, job)}
${filesSection(job, hashes, verdict)}
${warningsSection(plan, job)}
<footer>Plan ${plan.id}, run ${job.id}.</footer>
</main></body></html>
`;
  const draft = `${file}.tmp-${randomBytes(4).toString("hex")}`;
  await writeFile(draft, page.markup);
  await rename(draft, file);
}

/** WebP ends at 16,383 pixels, and a sheet of many epochs and prompts is long. */
const SHEET = { width: 1600, height: 16_000 };
const CELL = { width: 320, height: 320 };
const MOST_PAIRS = 8;

/** A picture as WebP in a data URI, scaled down to fit `box`; null when the file can't be read. */
async function dataUri(path: string, box: { width: number; height: number }): Promise<string | null> {
  const image = sharp(path)
    .resize({ ...box, fit: "inside", withoutEnlargement: true })
    .webp({ quality: 88 });
  // A report without one of its pictures is better than none.
  const bytes = await image.toBuffer().catch(() => null);
  return bytes === null ? null : `data:image/webp;base64,${bytes.toString("base64")}`;
}

async function readPairs(grid: Grid, gridDir: string): Promise<Pair[]> {
  const { verdict, settings } = grid;
  if (verdict === null) return [];
  const seed = settings.seeds[0];
  const pairs = settings.prompts.slice(0, MOST_PAIRS).map(async (prompt, index) => {
    const cellAt = (epoch: number, weight: number) =>
      grid.cells.find((cell) => cell.prompt === index && cell.seed === seed && cell.epoch === epoch && cell.weight === weight);
    const [base, chosen] = await Promise.all(
      [cellAt(0, 0), cellAt(verdict.epoch, verdict.weight)].map((cell) => (cell ? dataUri(join(gridDir, cell.file), CELL) : null)),
    );
    return base && chosen ? [{ prompt, base, chosen }] : [];
  });
  return (await Promise.all(pairs)).flat();
}

async function readHashes(job: Job, loraDir: string | undefined): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const { file } of loraDir === undefined ? [] : job.saves) {
    const hash = await recordedHash(join(loraDir ?? "", file));
    if (hash !== null) hashes.set(file, hash);
  }
  return hashes;
}

async function recordedHash(path: string): Promise<string | null> {
  try {
    return (await readHeader(path, "lora_corrupt")).metadata.sshs_model_hash ?? null;
  } catch (thrown) {
    // The user may have moved the file away since; the report still lists it.
    if (thrown instanceof FailureError) return null;
    throw thrown;
  }
}
