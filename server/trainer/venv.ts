import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { checkoutRoot } from "../checkout.js";
import { type HomePaths, invokedFrom } from "../paths.js";
import { waitForLock } from "../store/sqlite.js";
import { deviceFile } from "./device-file.js";
import { installPackages } from "./install-packages.js";
import { makeVenv, pythonOf, pythonVersion } from "./make-venv.js";
import { venvEnvironment } from "./pip.js";

/** `torch` is there while the torch that came can't use the GPU: why, and the hash of the TRAIN_LORA_TORCH_INDEX that it came by. */
const Marker = z.object({
  requirements: z.string(),
  python: z.string(),
  torch: z.object({ warning: z.string(), index: z.string() }).optional(),
});
const MARKER = "train-lora.json";

export type TrainerRequest = {
  /** One line of text at a time. */
  readonly onProgress?: (line: string) => void;
  /** How far the file is that is being loaded. */
  readonly onBytes?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** Tries again to get the torch that fits, where one came that can't use the GPU. */
  readonly betterTorch?: boolean;
};

/** `warning` says why the torch that was installed just now can't use the GPU that is there. */
export type Trainer = { readonly python: string; readonly warning: string | null };

/**
 * The trainer's Python with every pinned package, made when it is missing. The venv is TRAIN_LORA_VENV, else the first that is ready of
 * `<home>/venv-trainer` and `<checkout>/data/venv-trainer`, else a new one in the home.
 * What a cut leaves half done is gone on with at the next call. Throws `program_missing`, `install_failed` or `disk_full`.
 */
export async function ensureTrainer(paths: HomePaths, request: TrainerRequest = {}): Promise<Trainer> {
  const { onProgress = () => undefined, signal } = request;
  const { chosen, venvs } = venvsOf(paths);
  const requirements = requirementsFile();
  const look = { venvs, requirements, chosen, betterTorch: request.betterTorch ?? false };
  const ready = await firstReady(look);
  if (ready !== null) return { python: ready, warning: null };
  const venv = venvs[0];
  const release = await waitForLock(`${venv}.lock`, () => onProgress("Waiting for another Train LoRA that installs the trainer …"), signal);
  try {
    const meanwhile = await firstReady(look);
    if (meanwhile !== null) return { python: meanwhile, warning: null };
    const python = await makeVenv(venv, { chosen, onProgress, signal });
    // From here on the packages are a mixture, which nobody may take for those of the version that was there before.
    await rm(join(venv, MARKER), { force: true });
    await rm(deviceFile(paths), { force: true });
    const warning = await installPackages({ python, requirements, onProgress, onBytes: request.onBytes, signal });
    await writeMarker(venv, { requirements: await hashOf(requirements), python: (await pythonVersion(python)) ?? "" }, warning);
    onProgress("The trainer is installed.");
    return { python, warning };
  } finally {
    release();
  }
}

/** The ready trainer's Python, or null when `ensureTrainer` would have to install something. */
export function readyTrainer(paths: HomePaths): Promise<string | null> {
  const { chosen, venvs } = venvsOf(paths);
  return firstReady({ venvs, requirements: requirementsFile(), chosen, betterTorch: false });
}

/** The folder that holds the Python packages `trainer` and `pocket`. */
export function trainerFolder(): string {
  return join(checkoutRoot(), "trainer-py");
}

function requirementsFile(): string {
  return join(trainerFolder(), "requirements.txt");
}

function venvsOf(paths: HomePaths): { chosen: boolean; venvs: readonly [string, ...string[]] } {
  const named = process.env.TRAIN_LORA_VENV;
  if (named) return { chosen: true, venvs: [resolve(invokedFrom(), named)] };
  return { chosen: false, venvs: [paths.venvDir, join(checkoutRoot(), "data", "venv-trainer")] };
}

type Look = {
  readonly venvs: readonly string[];
  readonly requirements: string;
  readonly chosen: boolean;
  readonly betterTorch: boolean;
};

async function firstReady({ venvs, requirements, chosen, betterTorch }: Look): Promise<string | null> {
  for (const venv of venvs) {
    const python = pythonOf(venv);
    if (!existsSync(python)) continue;
    const said = await whatMarkerSays(venv, requirements, betterTorch);
    if (said === "ready") return python;
    // A venv of the user's own has no marker of ours; what is installed in it decides.
    if (chosen && said === "nothing" && (await satisfies(python, requirements))) return python;
  }
  return null;
}

async function whatMarkerSays(venv: string, requirements: string, betterTorch: boolean): Promise<"ready" | "wrong torch" | "nothing"> {
  const marker = Marker.safeParse(parseJson(await readFile(join(venv, MARKER), "utf8").catch(() => "")));
  if (!marker.success) return "nothing";
  const { torch, python } = marker.data;
  const isOtherIndex = namedIndex() !== "" && namedIndex() !== torch?.index;
  if (torch !== undefined && (betterTorch || isOtherIndex)) return "wrong torch";
  if (marker.data.requirements !== (await hashOf(requirements))) return "nothing";
  return (await pythonVersion(pythonOf(venv))) === python ? "ready" : "nothing";
}

async function writeMarker(venv: string, facts: { requirements: string; python: string }, warning: string | null): Promise<void> {
  const marker = warning === null ? facts : { ...facts, torch: { warning, index: namedIndex() } };
  const half = join(venv, `${MARKER}.tmp`);
  await writeFile(half, JSON.stringify(marker));
  await rename(half, join(venv, MARKER));
}

/** Only tells whether the user has named another one since; the address may hold a password. */
function namedIndex(): string {
  const named = process.env.TRAIN_LORA_TORCH_INDEX?.trim();
  return named ? createHash("sha256").update(named).digest("hex") : "";
}

const SATISFIED = `
import sys
from importlib.metadata import PackageNotFoundError, version
try:
    from packaging.requirements import Requirement
except ImportError:
    from pip._vendor.packaging.requirements import Requirement
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.split("#")[0].strip()
    if line and not line.startswith("-"):
        need = Requirement(line)
        if need.marker and not need.marker.evaluate():
            continue
        if not need.specifier.contains(version(need.name), prereleases=True):
            sys.exit(1)
`;

async function satisfies(python: string, requirements: string): Promise<boolean> {
  const result = await execa(python, ["-c", SATISFIED, requirements], {
    reject: false,
    stdin: "ignore",
    env: venvEnvironment(),
    extendEnv: false,
  });
  return !result.failed;
}

async function hashOf(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A marker that a power cut left half written counts as none.
    return null;
  }
}
