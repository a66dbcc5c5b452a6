import { join } from "node:path";
import type { HomePaths } from "../paths.js";

/** Where the trainer's device is kept. Whoever installs another torch removes it: that one may compute on something else. */
export function deviceFile(paths: HomePaths): string {
  return join(paths.cacheDir, "device.json");
}
