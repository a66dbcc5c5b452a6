import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { BaseModel } from "../../protocol/plan.js";
import { checkoutRoot } from "../checkout.js";
import { readBaseModel } from "./base-model.js";
import { findFiles } from "./find-files.js";

const POCKET = ["trainer-py", "pocket", "model", "pocket.safetensors"];

/**
 * Every base model that can be trained: the pocket model that comes with the program first, then those below
 * <home>/models/Stable-diffusion in order of their paths, then those below `folders`, each file once, and after
 * these the folders in diffusers' layout that lie in them. Files that are no such checkpoint are left out.
 */
export async function listBaseModels(home: string, folders: readonly string[] = []): Promise<BaseModel[]> {
  const all = [join(home, "models", "Stable-diffusion"), ...folders];
  const found = await Promise.all(all.map((folder) => findFiles(folder, [".safetensors", ".ckpt"])));
  const layered = await Promise.all(all.map(diffusersFolders));
  const paths = await eachOnce([join(checkoutRoot(), ...POCKET), ...found.flat(), ...layered.flat()]);
  const models = await Promise.all(paths.map(readIfUsable));
  return models.filter((model) => model !== null);
}

async function diffusersFolders(folder: string): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const found = await Promise.all(
    names.map(async (name) =>
      (await stat(join(folder, name, "model_index.json")).catch(() => null)) === null ? [] : [join(folder, name)],
    ),
  );
  return found.flat();
}

// Links make one file appear in several folders; the first path is the one that is shown.
async function eachOnce(paths: readonly string[]): Promise<string[]> {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
  return paths.filter((_, index) => real.indexOf(real[index] ?? "") === index);
}

// Reading the headers of a WebUI's many checkpoints takes seconds, and a checkpoint hardly ever changes.
const known = new Map<string, { stamp: string; model: BaseModel | null }>();

async function readIfUsable(path: string): Promise<BaseModel | null> {
  const stamp = await stampOf(path);
  const kept = known.get(path);
  if (kept?.stamp === stamp) return kept.model;
  const model = await read(path);
  known.set(path, { stamp, model });
  return model;
}

// The .yaml beside a checkpoint says what it is as well.
async function stampOf(path: string): Promise<string> {
  const files = [path, `${path.slice(0, path.length - extname(path).length)}.yaml`, join(path, "model_index.json")];
  const facts = await Promise.all(files.map((file) => stat(file).catch(() => null)));
  return facts.map((fact) => `${fact?.mtimeMs}:${fact?.size}`).join("|");
}

async function read(path: string): Promise<BaseModel | null> {
  try {
    return await readBaseModel(path);
  } catch (thrown) {
    // A list shows what can be chosen; why a file can't be is said when somebody names it.
    if (thrown instanceof FailureError) return null;
    throw thrown;
  }
}
