import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import { Grid } from "../../protocol/grid.js";

/** Writes <gridDir>/grid.json so that a reader sees the old file or the new one, never half of one. Returns its path. */
export async function writeGridFile(gridDir: string, grid: Grid): Promise<string> {
  const path = join(gridDir, "grid.json");
  const draft = `${path}.tmp-${randomBytes(4).toString("hex")}`;
  await writeFile(draft, `${JSON.stringify(grid, null, 1)}\n`);
  await rename(draft, path);
  return path;
}

/** Reads <gridDir>/grid.json. Throws FailureError: not_found, bad_request when it is no grid of this version. */
export async function readGridFile(gridDir: string): Promise<Grid> {
  const path = join(gridDir, "grid.json");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new FailureError("not_found", `There is no grid at ${path}; draw it first.`, String(cause));
  });
  const grid = Grid.safeParse(parseJson(text));
  if (!grid.success)
    throw new FailureError("bad_request", `${path} should be a grid of version 1, but it is not; draw the grid again.`, grid.error.message);
  return grid.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema's refusal of null says the same thing better.
    return null;
  }
}
