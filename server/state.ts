import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Dataset, DatasetSummary } from "../protocol/dataset.js";
import { FailureError } from "../protocol/errors.js";
import type { JobEvent } from "../protocol/job.js";
import type { LoraFile, ServerMessage, Snapshot } from "../protocol/messages.js";
import { scanDataset } from "./dataset/scan.js";
import { listDatasets, summarize } from "./dataset/summary.js";
import { listBaseModels } from "./library/base-models.js";
import { listLoras } from "./library/loras.js";
import type { HomePaths } from "./paths.js";
import { openQueue, type Queue } from "./queue/queue.js";
import { openStore, type Store } from "./store/store.js";

/** How long a new page waits for the first look at data sets that were never scanned. */
const SNAPSHOT_PATIENCE_MS = 1500;

/** Everything that the server knows, and the one place that tells the pages of a change. */
export type State = {
  readonly paths: HomePaths;
  readonly loraDir: string;
  readonly store: Store;
  readonly queue: Queue;
  publish(message: ServerMessage): void;
  /** Sends the snapshot and from then on every change, with nothing lost or doubled between. Returns the way to leave. */
  follow(listener: (message: ServerMessage) => void): Promise<() => void>;
  /** The folder of a data set by its name; throws `dataset_not_found`. */
  datasetRoot(name: string): string;
  /** Scans a data set anew and tells the pages its figures. */
  scan(name: string): Promise<Dataset>;
  /** The newest scan when nothing was changed through this server since; else a new one. */
  recentScan(name: string): Promise<Dataset>;
  forgetScan(name: string): void;
  followers(): number;
  close(): Promise<void>;
};

export function openState(paths: HomePaths, loraDir = paths.loraDir): State {
  const listeners = new Set<(message: ServerMessage) => void>();
  const scans = new Map<string, Dataset>();
  const store = openStore(paths.database);
  const queue = openQueue({ store, paths, onEvent: tellOfJob });

  function publish(message: ServerMessage): void {
    for (const listener of listeners) listener(message);
  }

  function tellOfJob(job: string, event: JobEvent): void {
    publish({ type: "jobEvent", job, event });
    if (event.type === "saved") void loras().then((files) => publish({ type: "loras", loras: files }));
  }

  function loras(): Promise<LoraFile[]> {
    const jobs = new Map(store.jobs().flatMap((job) => job.saves.map((save) => [save.file, job.id] as const)));
    return listLoras(loraDir, (file) => jobs.get(file) ?? null);
  }

  function datasetRoot(name: string): string {
    const root = join(paths.datasetsDir, name);
    if (!/^[^./\\][^/\\]*$/.test(name) || !existsSync(root)) throw new FailureError("dataset_not_found", `There is no data set "${name}" in ${paths.datasetsDir}.`);
    return root;
  }

  async function scan(name: string): Promise<Dataset> {
    const dataset = await scanDataset(datasetRoot(name));
    scans.set(name, dataset);
    store.keepSummary({ ...summarize(dataset), name });
    publish({ type: "datasets", datasets: await summaries() });
    return dataset;
  }

  async function summaries(): Promise<DatasetSummary[]> {
    const names = new Set(await listDatasets(paths.datasetsDir));
    return store.summaries().filter(({ name }) => names.has(name));
  }

  // Data sets that came into the folder by other ways than an import.
  async function scanUnknown(): Promise<void> {
    const known = new Set(store.summaries().map(({ name }) => name));
    for (const name of await listDatasets(paths.datasetsDir))
      // A folder that can't be scanned says so when it is opened.
      if (!known.has(name)) await scan(name).catch(() => undefined);
  }

  return {
    paths,
    loraDir,
    store,
    queue,
    publish,
    async follow(listener) {
      await Promise.race([scanUnknown(), new Promise((resolve) => setTimeout(resolve, SNAPSHOT_PATIENCE_MS))]);
      const [baseModels, datasets, files] = await Promise.all([listBaseModels(paths.home), summaries(), loras()]);
      const snapshot: Snapshot = { home: paths.home, loraDir, baseModels, datasets, jobs: store.jobs(), loras: files };
      listener({ type: "snapshot", snapshot });
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    datasetRoot,
    scan,
    recentScan: async (name) => scans.get(name) ?? (await scan(name)),
    forgetScan: (name) => void scans.delete(name),
    followers: () => listeners.size,
    async close() {
      await queue.close();
      store.close();
    },
  };
}
