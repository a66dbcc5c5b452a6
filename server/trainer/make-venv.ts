import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { FailureError } from "../../protocol/errors.js";
import { findPython } from "./find-python.js";
import { venvEnvironment } from "./pip.js";

export type VenvRequest = {
  /** The user named this venv; it is never made anew. */
  readonly chosen: boolean;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal | undefined;
};

/**
 * A venv with a Python and a pip that run, at `venv`. One that is there is kept; one that a cut or a removed Python left unusable is made
 * anew. Packages that pip was just writing when it was cut off are taken away, so that it installs them again. Throws `install_failed`.
 */
export async function makeVenv(venv: string, { chosen, onProgress, signal }: VenvRequest): Promise<string> {
  const python = pythonOf(venv);
  if (await hasPip(python)) {
    await removeHalfPackages(venv);
    return python;
  }
  if (chosen && existsSync(venv)) return withPip(venv);
  const base = await findPython();
  onProgress(`Making the trainer's venv with Python ${base.version} in ${venv} …`);
  await rm(venv, { recursive: true, force: true });
  await mkdir(dirname(venv), { recursive: true });
  const [file, ...args] = base.command;
  const result = await run(file, [...args, "-m", "venv", venv], signal);
  signal?.throwIfAborted();
  if (result.failed)
    throw new FailureError(
      "install_failed",
      `Python ${base.version} could not make a venv in ${venv}. Check that the folder can be written and try again.`,
      result.all,
    );
  return python;
}

export function pythonOf(venv: string, system: NodeJS.Platform = process.platform): string {
  return system === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");
}

/** "3.11", or null where there is no Python that runs. */
export async function pythonVersion(python: string): Promise<string | null> {
  const result = await run(python, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
  return result.failed ? null : result.stdout.trim();
}

/** pip writes RECORD last, but takes a package without it for installed. */
export async function removeHalfPackages(venv: string): Promise<void> {
  for (const packages of await packageFolders(venv))
    for (const name of await readdir(packages)) {
      const folder = join(packages, name);
      if (name.endsWith(".dist-info") && !existsSync(join(folder, "RECORD"))) await rm(folder, { recursive: true, force: true });
    }
}

async function packageFolders(venv: string): Promise<string[]> {
  const versions = await readdir(join(venv, "lib")).catch(() => []);
  const folders = [...versions.map((version) => join(venv, "lib", version, "site-packages")), join(venv, "Lib", "site-packages")];
  return folders.filter((folder) => existsSync(folder));
}

// A venv that uv made has no pip; Python brings one along.
async function withPip(venv: string): Promise<string> {
  const python = pythonOf(venv);
  if ((await pythonVersion(python)) === null)
    throw new FailureError(
      "install_failed",
      `TRAIN_LORA_VENV names ${venv}, but there is no Python that runs in it. Correct or unset TRAIN_LORA_VENV and try again.`,
    );
  const result = await run(python, ["-m", "ensurepip"]);
  if (result.failed)
    throw new FailureError(
      "install_failed",
      `TRAIN_LORA_VENV names ${venv}, which lacks packages and has no pip to install them. Install pip there, or unset TRAIN_LORA_VENV, and try again.`,
      result.all,
    );
  return python;
}

async function hasPip(python: string): Promise<boolean> {
  return existsSync(python) && !(await run(python, ["-m", "pip", "--version"])).failed;
}

function run(program: string, args: readonly string[], signal?: AbortSignal) {
  return execa(program, args, {
    reject: false,
    all: true,
    stdin: "ignore",
    env: venvEnvironment(),
    extendEnv: false,
    ...(signal ? { cancelSignal: signal } : {}),
  });
}
