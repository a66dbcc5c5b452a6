import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { FailureError } from "../../../protocol/errors.js";
import { invokedFrom } from "../../paths.js";

/** The user's checkout of sd-scripts and the Python that runs it. */
export type SdScripts = { readonly dir: string; readonly python: string };

/**
 * The checkout that SD_SCRIPTS_DIR names (one of kohya_ss is taken as well), with SD_SCRIPTS_PYTHON or the Python of its own venv.
 * Throws `program_missing` with what to do.
 */
export function findSdScripts(environment: NodeJS.ProcessEnv = process.env): SdScripts {
  const named = environment.SD_SCRIPTS_DIR;
  if (!named)
    throw missing(`Expected SD_SCRIPTS_DIR to name your checkout of sd-scripts, because this plan's engine is kohya, but it is not set`);
  const root = resolve(invokedFrom(), named);
  const dir = [root, join(root, "sd-scripts")].find((folder) => existsSync(join(folder, "train_network.py")));
  if (dir === undefined) throw missing(`Expected sd-scripts with its train_network.py in SD_SCRIPTS_DIR, but there is none in ${root}`);
  return { dir, python: pythonOf(environment, dir, root) };
}

function pythonOf(environment: NodeJS.ProcessEnv, dir: string, root: string): string {
  const named = environment.SD_SCRIPTS_PYTHON;
  // A bare name is looked up by the system.
  if (named) return /[\\/]/.test(named) ? checked(resolve(invokedFrom(), named)) : named;
  const inVenv = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
  const found = [dir, root, join(dir, "..")]
    .flatMap((folder) => ["venv", ".venv"].map((venv) => join(folder, venv, ...inVenv)))
    .find((python) => existsSync(python));
  if (found !== undefined) return found;
  throw missing(`Expected a Python for sd-scripts, but SD_SCRIPTS_PYTHON is not set and ${dir} has no venv`);
}

function checked(python: string): string {
  if (existsSync(python)) return python;
  throw missing(`Expected SD_SCRIPTS_PYTHON to name the Python that runs sd-scripts, but there is no ${python}`);
}

function missing(what: string): FailureError {
  return new FailureError("program_missing", `${what}; set it right and start again, or choose the engine trainLora.`);
}
