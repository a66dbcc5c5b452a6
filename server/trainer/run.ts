import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { type Job, JobEvent, newJob } from "../../protocol/job.js";
import { type Plan, Run } from "../../protocol/plan.js";
import { findFiles } from "../library/find-files.js";
import type { HomePaths } from "../paths.js";
import { writePlanFile } from "../plan/plan-file.js";
import { waitForLock } from "../store/sqlite.js";
import { readTail } from "./read-tail.js";

/** Mostly enough for the few last events, a verdict of many epochs among them; more is read when a large grid of the WebUI follows. */
const EVENTS_TAIL = 256 * 1024;

/** What a WebUI takes for a LoRA. */
const LORA_EXTENSIONS = [".safetensors", ".pt", ".ckpt"];

/** A run and the folder that holds all of it. */
export type OpenRun = { readonly run: Run; readonly runDir: string; readonly resumed: boolean };

/** The run of this plan into this folder that was cut off, else a new one. */
export async function openRun(request: { paths: HomePaths; plan: Plan; loraDir: string }): Promise<OpenRun> {
  const unfinished = (await listRuns(request.paths)).find(
    ({ run, over }) => run.planId === request.plan.id && run.loraDir === request.loraDir && !over,
  );
  if (unfinished) return { run: unfinished.run, runDir: unfinished.runDir, resumed: true };
  return { ...(await newRun(request)), resumed: false };
}

/** A new run whose LoRA files overwrite none in the folder, nor any that another unfinished run is going to write. */
export async function newRun({
  paths,
  plan,
  loraDir,
}: {
  paths: HomePaths;
  plan: Plan;
  loraDir: string;
}): Promise<Omit<OpenRun, "resumed">> {
  await mkdir(loraDir, { recursive: true });
  // Two commands at the same time must not choose the same name.
  const release = await waitForLock(join(paths.runsDir, ".lock"));
  try {
    const promised = (await listRuns(paths)).filter(({ run, over }) => run.loraDir === loraDir && !over).flatMap(({ run }) => run.files);
    const { outputName, files } = freeNames(plan, await namesIn(loraDir), promised);
    const createdAt = Date.now();
    const id = `${new Date(createdAt).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}-${randomBytes(3).toString("hex")}`;
    const run: Run = { id, planId: plan.id, loraDir, outputName, files, createdAt, cacheDir: paths.cacheDir };
    const runDir = runDirOf(paths, id);
    await mkdir(runDir, { recursive: true });
    await writePlanFile(join(runDir, "plan.json"), plan);
    await writeFile(join(runDir, "run.json"), `${JSON.stringify(run, null, 2)}\n`);
    return { run, runDir };
  } finally {
    release();
  }
}

/** The facts of the run in a folder; throws `not_found` when there are none. */
export async function readRun(runDir: string): Promise<Run> {
  const parsed = Run.safeParse(parseJson(await readFile(join(runDir, "run.json"), "utf8").catch(() => "")));
  if (parsed.success) return parsed.data;
  throw new FailureError(
    "not_found",
    `Expected a run with its run.json in ${runDir}, but there is none; it may have been removed. Plan and train anew.`,
  );
}

/** The job that a run is before anything has happened in it. */
export function jobOfRun(run: Run, plan: Plan): Job {
  return newJob({
    id: run.id,
    name: run.outputName,
    dataset: plan.dataset.name,
    baseModel: plan.baseModel.name,
    createdAt: run.createdAt,
    totalSteps: plan.stepsPerEpoch * run.files.length,
    epochs: run.files.length,
  });
}

export function runDirOf(paths: HomePaths, id: string): string {
  return join(paths.runsDir, id);
}

/** What has happened in a run so far, in order; empty before its first start. */
export async function readEvents(runDir: string): Promise<JobEvent[]> {
  const file = eventsFile(runDir);
  if (!existsSync(file)) return [];
  return (await readFile(file, "utf8")).split("\n").flatMap(parseLine);
}

/** The file that a run's events are appended to, one JSON line each. */
export function eventsFile(runDir: string): string {
  return join(runDir, "events.jsonl");
}

/** The plan's names, or the same with `-2`, `-3` … such that none is among `taken` or `promised`. Names that differ in case only collide. */
export function freeNames(
  plan: Pick<Plan, "files" | "settings">,
  taken: readonly string[],
  promised: readonly string[] = [],
): { outputName: string; files: string[] } {
  const used = new Set([...taken, ...promised].map((name) => name.toLowerCase()));
  const stem = plan.settings.outputName;
  for (let number = 1; ; number += 1) {
    const outputName = number === 1 ? stem : `${stem}-${number}`;
    const files = plan.files.map((file) => `${outputName}${file.slice(stem.length)}`);
    if (!files.some((file) => besides(file).some((name) => used.has(name.toLowerCase())))) return { outputName, files };
  }
}

/** Everything that lies in the folder, and the LoRAs of its sub-folders: a WebUI knows a LoRA by its name alone, wherever it lies. */
async function namesIn(loraDir: string): Promise<string[]> {
  const below = await findFiles(loraDir, LORA_EXTENSIONS);
  return [...(await readdir(loraDir)), ...below.map((path) => basename(path))];
}

type FoundRun = { run: Run; runDir: string; over: boolean };

async function listRuns(paths: HomePaths): Promise<FoundRun[]> {
  const ids = existsSync(paths.runsDir) ? await readdir(paths.runsDir) : [];
  const runs = await Promise.all(
    ids.map(async (id): Promise<FoundRun | null> => {
      // A folder that a cut left without a whole run.json holds nothing that could be gone on with.
      const runDir = runDirOf(paths, id);
      const run = await readRun(runDir).catch(() => null);
      return run && { run, runDir, over: await isOver(eventsFile(runDir)) };
    }),
  );
  return runs.filter((run) => run !== null).sort((a, b) => b.run.createdAt - a.run.createdAt);
}

async function isOver(file: string, bytes = EVENTS_TAIL): Promise<boolean> {
  const tail = await readTail(file, bytes);
  // What the WebUI draws comes also after the end.
  const last = tail
    .split("\n")
    .flatMap(parseLine)
    .findLast(({ type }) => !type.startsWith("webui"));
  if (last === undefined) return tail.length > bytes / 2 && isOver(file, bytes * 8);
  return last.type === "finished" || last.type === "stopped" || (last.type === "status" && last.status === "stopped");
}

// The WebUI's files beside a LoRA go by its name: a card or a preview of another LoRA must not become this one's.
function besides(file: string): string[] {
  const stem = file.replace(/\.safetensors$/, "");
  return [file, `${stem}.pt`, `${stem}.ckpt`, `${stem}.json`, `${stem}.png`, `${stem}.preview.png`];
}

// The last line of a killed process may be half a line.
function parseLine(line: string): JobEvent[] {
  const parsed = JobEvent.safeParse(parseJson(line));
  return parsed.success ? [parsed.data] : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no event and no run either; the callers' schemas say so.
    return undefined;
  }
}
