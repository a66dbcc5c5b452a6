import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import { checkoutRoot } from "../checkout.js";
import { type HomePaths, invokedFrom } from "../paths.js";
import { waitForLock } from "../store/sqlite.js";
import { findPython } from "./find-python.js";
import { installPackages } from "./install-packages.js";
import { venvEnvironment } from "./pip.js";

const Marker = z.object({ requirements: z.string(), python: z.string() });
const MARKER = "train-lora.json";

/**
 * The trainer's Python with every pinned package, made when it is missing. The venv is TRAIN_LORA_VENV, else the first that is ready of
 * `<home>/venv-trainer` and `<checkout>/data/venv-trainer`, else a new one in the home. `onProgress` gets one line of text at a time,
 * `onBytes` how far the file is that is being loaded.
 * What a cut leaves half done is gone on with at the next call. Throws `program_missing`, `install_failed` or `disk_full`.
 */
export async function ensureTrainer(
  paths: HomePaths,
  onProgress: (line: string) => void = () => undefined,
  signal?: AbortSignal,
  onBytes?: (done: number, total: number) => void,
): Promise<{ python: string }> {
  const { chosen, venvs } = venvsOf(paths);
  const requirements = requirementsFile();
  const ready = await firstReady(venvs, requirements, chosen);
  if (ready !== null) return { python: ready };
  const venv = venvs[0];
  const release = await waitForLock(`${venv}.lock`, () => onProgress("Waiting for another Train LoRA that installs the trainer …"), signal);
  try {
    const meanwhile = await firstReady(venvs, requirements, chosen);
    if (meanwhile !== null) return { python: meanwhile };
    const python = await makeVenv(venv, { chosen, onProgress, signal });
    await installPackages({ python, requirements, onProgress, onBytes, signal });
    const marker = { requirements: await hashOf(requirements), python: (await pythonVersion(python)) ?? "" };
    await writeFile(join(venv, MARKER), JSON.stringify(marker));
    onProgress("The trainer is installed.");
    return { python };
  } finally {
    release();
  }
}

/** The ready trainer's Python, or null when `ensureTrainer` would have to install something. */
export function readyTrainer(paths: HomePaths): Promise<string | null> {
  const { chosen, venvs } = venvsOf(paths);
  return firstReady(venvs, requirementsFile(), chosen);
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

async function firstReady(venvs: readonly string[], requirements: string, chosen: boolean): Promise<string | null> {
  for (const venv of venvs) {
    const python = pythonOf(venv);
    if (!existsSync(python)) continue;
    if (await hasMarker(venv, requirements)) return python;
    // A venv of the user's own has no marker of ours; what is installed in it decides.
    if (chosen && (await satisfies(python, requirements))) return python;
  }
  return null;
}

async function hasMarker(venv: string, requirements: string): Promise<boolean> {
  const file = join(venv, MARKER);
  if (!existsSync(file)) return false;
  const marker = Marker.safeParse(parseJson(await readFile(file, "utf8")));
  if (!marker.success || marker.data.requirements !== (await hashOf(requirements))) return false;
  return (await pythonVersion(pythonOf(venv))) === marker.data.python;
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

async function makeVenv(
  venv: string,
  { chosen, onProgress, signal }: { chosen: boolean; onProgress: (line: string) => void; signal: AbortSignal | undefined },
): Promise<string> {
  const python = pythonOf(venv);
  if (existsSync(python) && (await pythonVersion(python)) !== null) return python;
  if (chosen && existsSync(venv))
    throw new FailureError(
      "install_failed",
      `TRAIN_LORA_VENV names ${venv}, but there is no Python that runs in it. Correct or unset TRAIN_LORA_VENV and try again.`,
    );
  const base = await findPython();
  onProgress(`Making the trainer's venv with Python ${base.version} in ${venv} …`);
  await rm(venv, { recursive: true, force: true });
  await mkdir(dirname(venv), { recursive: true });
  const [file, ...args] = base.command;
  const result = await execa(file, [...args, "-m", "venv", venv], {
    reject: false,
    all: true,
    stdin: "ignore",
    ...(signal ? { cancelSignal: signal } : {}),
  });
  signal?.throwIfAborted();
  if (result.failed)
    throw new FailureError(
      "install_failed",
      `Python ${base.version} could not make a venv in ${venv}. Check that the folder can be written and try again.`,
      result.all,
    );
  return python;
}

function pythonOf(venv: string): string {
  return process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");
}

async function pythonVersion(python: string): Promise<string | null> {
  const result = await execa(python, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], {
    reject: false,
    stdin: "ignore",
    env: venvEnvironment(),
    extendEnv: false,
  });
  return result.failed ? null : result.stdout.trim();
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
