import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { BaseModel } from "../../protocol/plan.js";
import { checkoutRoot } from "../checkout.js";
import { readBaseModel } from "./base-model.js";
import { findFiles } from "./find-files.js";

const POCKET = ["trainer-py", "pocket", "model", "pocket.safetensors"];

/**
 * Every base model that can be trained: the pocket model that comes with the program first, then those below
 * <home>/models/Stable-diffusion in order of their paths. Files that are no such checkpoint are left out.
 */
export async function listBaseModels(home: string): Promise<BaseModel[]> {
  const found = await findFiles(join(home, "models", "Stable-diffusion"), [".safetensors", ".ckpt"]);
  const models = await Promise.all([join(checkoutRoot(), ...POCKET), ...found].map(readIfUsable));
  return models.filter((model) => model !== null);
}

async function readIfUsable(path: string): Promise<BaseModel | null> {
  try {
    return await readBaseModel(path);
  } catch (thrown) {
    // A list shows what can be chosen; why a file can't be is said when somebody names it.
    if (thrown instanceof FailureError) return null;
    throw thrown;
  }
}
