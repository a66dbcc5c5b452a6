import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import type { Cell } from "../../protocol/grid.js";
import type { Job } from "../../protocol/job.js";
import type { Plan, Run } from "../../protocol/plan.js";
import { writeAtomically } from "../dataset/write-atomically.js";
import { cardFileOf, mergeCard, type OwnCard, readCard } from "../library/lora-card.js";
import type { HomePaths } from "../paths.js";
import { readPlanFile } from "../plan/plan-file.js";
import { readRun, runDirOf } from "./run.js";

/** `<run>/cards.json`: what was written beside the run's LoRAs, so that a user's change is told from our own words. */
const Written = z.record(
  z.string(),
  z.object({
    card: z.object({
      description: z.string(),
      "sd version": z.string(),
      "activation text": z.string(),
      "preferred weight": z.number(),
      notes: z.string(),
    }),
    preview: z.string().nullable(),
  }),
);
type Written = z.infer<typeof Written>;

/** The weight in the card that the trainer writes with each epoch. */
const TRAINERS_WEIGHT = 0.8;

const PREVIEWS = [".png", ".jpg", ".jpeg", ".webp", ".gif"].flatMap((type) => [type, `.preview${type}`]);

/**
 * Makes the card of a saved epoch say what this LoRA is good for: activation text, weight (default: the verdict's, else the trainer's),
 * the verdict's sentence as notes, and a cell of the grid as preview picture. What the user has written or put there stays.
 * Returns the LoRA's file name. Throws `not_found`, `bad_request` or `disk_full`.
 */
export async function keepLora(
  paths: HomePaths,
  job: Job,
  { epoch, weight }: { epoch: number; weight?: number | undefined },
): Promise<string> {
  const save = job.saves.find((found) => found.epoch === epoch);
  if (save === undefined) throw new FailureError("not_found", `Epoch ${epoch} of "${job.name}" is not saved, so there is nothing to keep.`);
  const runDir = runDirOf(paths, job.id);
  const [plan, run] = await Promise.all([readPlanFile(join(runDir, "plan.json")), readRun(runDir)]);
  if (!existsSync(join(run.loraDir, save.file)))
    throw new FailureError("not_found", `${save.file} is not in its folder any more; put it back, or keep another epoch.`);
  const stem = save.file.replace(/\.safetensors$/, "");
  const written = await readWritten(runDir);
  const chosen = weight ?? (job.verdict?.epoch === epoch ? job.verdict.weight : TRAINERS_WEIGHT);
  const card = ownCard(job, plan, { epoch, weight: chosen });
  const cardFile = cardFileOf(join(run.loraDir, save.file));
  const merged = mergeCard(await readCard(cardFile), card, written[stem]?.card ?? trainersCard(job, plan, epoch));
  await writeAtomically(cardFile, `${JSON.stringify(merged, null, 4)}\n`);
  const preview = await writePreview({ run, stem, before: written[stem]?.preview ?? null, picture: pictureOf(job, runDir, epoch, chosen) });
  await writeAtomically(join(runDir, "cards.json"), JSON.stringify({ ...written, [stem]: { card, preview } }));
  return save.file;
}

function ownCard(job: Job, plan: Plan, { epoch, weight }: { epoch: number; weight: number }): OwnCard {
  const trainers = trainersCard(job, plan, epoch);
  const notes = job.verdict === null ? trainers.notes : `${trainers.notes}\n${job.verdict.sentence}`;
  return { ...trainers, "preferred weight": weight, notes };
}

/** The card that is written with each epoch; word for word what trainer-py/trainer/run/keep_lora.py writes for our own trainer. */
export function trainersCard(job: Pick<Job, "epochs">, plan: Plan, epoch: number): OwnCard {
  const pictures = plan.images.filter(({ heldOut }) => !heldOut).length;
  const by = plan.settings.engine === "kohya" ? "sd-scripts" : "Train LoRA";
  return {
    description: `Epoch ${epoch} of ${job.epochs}, trained by ${by} on ${plan.baseModel.name}.`,
    "sd version": "SD1",
    "activation text": plan.dataset.triggerWord,
    "preferred weight": TRAINERS_WEIGHT,
    notes: `${plan.dataset.name}, ${pictures} pictures, step ${epoch * plan.stepsPerEpoch}.`,
  };
}

// The WebUI's own picture where there is one, at the weight that comes nearest.
function pictureOf(job: Job, runDir: string, epoch: number, weight: number): string | null {
  const candidates: { folder: string; cells: readonly Cell[] }[] = [
    { folder: "webui", cells: job.webui?.cells ?? [] },
    { folder: "grid", cells: job.cells },
  ];
  for (const { folder, cells } of candidates) {
    const files = cells
      .filter((cell) => cell.epoch === epoch)
      .sort((a, b) => Math.abs(a.weight - weight) - Math.abs(b.weight - weight) || a.prompt - b.prompt || a.seed - b.seed)
      .map(({ file }) => join(runDir, folder, ...file.split("/")));
    const found = files.find((file) => existsSync(file));
    if (found !== undefined) return found;
  }
  return null;
}

// Returns the hash of our own preview; with two previews of one LoRA the WebUI shows either, so another's is left alone in its place.
async function writePreview({
  run,
  stem,
  before,
  picture,
}: {
  run: Run;
  stem: string;
  before: string | null;
  picture: string | null;
}): Promise<string | null> {
  const own = join(run.loraDir, `${stem}.png`);
  const there = PREVIEWS.map((type) => join(run.loraDir, `${stem}${type}`)).filter((file) => existsSync(file));
  const isOurs =
    there.length === 0 || (there.length === 1 && there[0] === own && before !== null && hashOf(await readFile(own)) === before);
  if (picture === null || !isOurs) return before;
  const bytes = await readFile(picture);
  await writeAtomically(own, bytes);
  return hashOf(bytes);
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function readWritten(runDir: string): Promise<Written> {
  try {
    return Written.parse(JSON.parse(await readFile(join(runDir, "cards.json"), "utf8")));
  } catch {
    // Nothing was written yet, or it is lost: then what is in the cards counts as the user's.
    return {};
  }
}
