import { readdir } from "node:fs/promises";
import type { Dataset, DatasetSummary } from "../../protocol/dataset.js";
import { compare } from "./list-folder.js";

/** One line about a data set; what is merely good to know is not counted among the problems. */
export function summarize({ name, images, problems, triggerWord }: Dataset): DatasetSummary {
  return { name, images: images.length, problems: problems.filter(({ severity }) => severity !== "info").length, triggerWord };
}

/** Names of the data sets in a folder, sorted; none when the folder does not exist yet. */
export async function listDatasets(datasetsDir: string): Promise<string[]> {
  const entries = await readdir(datasetsDir, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort(compare);
}
