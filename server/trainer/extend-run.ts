import { existsSync } from "node:fs";
import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { Run } from "../../protocol/plan.js";
import { writeAtomically } from "../dataset/write-atomically.js";
import { readPlanFile } from "../plan/plan-file.js";
import { saveNames } from "../plan/save-names.js";
import { readRun } from "./run.js";

/**
 * Adds epochs to the run in a folder; the trainer reads them at its next start or when it is told. The plan stays frozen. Gives the
 * number of all epochs. Throws `bad_request` for a run of sd-scripts, which can't go on.
 */
export async function extendRun(runDir: string, epochs: number): Promise<number> {
  const run = await readRun(runDir);
  const { settings } = await readPlanFile(join(runDir, "plan.json"));
  if (settings.engine === "kohya")
    throw new FailureError("bad_request", `"${run.outputName}" is trained by sd-scripts, which can't be extended; plan a longer run.`);
  const longer: Run = { ...run, files: extendedNames(run, epochs, existsSync), extraEpochs: (run.extraEpochs ?? 0) + epochs };
  await writeAtomically(join(runDir, "run.json"), `${JSON.stringify(longer, null, 2)}\n`);
  return longer.files.length;
}

/**
 * Names of all epochs of the longer run: the last one goes without a number, and the one that would have done so gets one, unless its
 * file is there already.
 */
export function extendedNames(
  { outputName, files, loraDir }: Pick<Run, "outputName" | "files" | "loraDir">,
  epochs: number,
  isThere: (path: string) => boolean,
): string[] {
  const names = saveNames(outputName, files.length + epochs);
  const bare = names.at(-1) ?? "";
  if (!isThere(join(loraDir, bare))) return names;
  const numbered = saveNames(outputName, files.length + epochs + 1).slice(0, -1);
  return [...files, ...numbered.slice(files.length)];
}
