import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Dataset, DatasetSummary } from "../protocol/dataset.js";
import { FailureError } from "../protocol/errors.js";
import { scanDataset } from "./dataset/scan.js";
import { listDatasets, summarize } from "./dataset/summary.js";
import type { Store } from "./store/store.js";

/** The data sets of a home, with what their newest scans found. */
export type KnownDatasets = {
  /** The folder of a data set by its name; throws `dataset_not_found`. */
  root(name: string): string;
  /** Scans a data set anew; `onChange` hears of it when its figures are others than before. */
  scan(name: string): Promise<Dataset>;
  /** Scans the ones that came into the folder by other ways than an import. */
  scanUnknown(): Promise<void>;
  summaries(): Promise<DatasetSummary[]>;
};

export function openKnownDatasets(datasetsDir: string, store: Store, onChange: (datasets: DatasetSummary[]) => void): KnownDatasets {
  function root(name: string): string {
    const folder = join(datasetsDir, name);
    if (/^[^./\\][^/\\]*$/.test(name) && existsSync(folder)) return folder;
    throw new FailureError("dataset_not_found", `There is no data set "${name}" in ${datasetsDir}.`);
  }

  async function summaries(): Promise<DatasetSummary[]> {
    const names = new Set(await listDatasets(datasetsDir));
    return store.summaries().filter(({ name }) => names.has(name));
  }

  async function scan(name: string): Promise<Dataset> {
    const dataset = await scanDataset(root(name));
    const summary = { ...summarize(dataset), name };
    const before = store.summaries().find((known) => known.name === name);
    if (!isDeepStrictEqual(summary, before)) {
      store.keepSummary(summary);
      onChange(await summaries());
    }
    return dataset;
  }

  async function scanUnknown(): Promise<void> {
    const known = new Set(store.summaries().map(({ name }) => name));
    // A folder that can't be scanned says so when it is opened.
    for (const name of await listDatasets(datasetsDir)) if (!known.has(name)) await scan(name).catch(() => undefined);
  }

  return { root, scan, scanUnknown, summaries };
}
