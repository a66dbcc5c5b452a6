import { setTimeout as sleep } from "node:timers/promises";
import { fullAccess } from "../protocol/host.js";
import type { JobEvent } from "../protocol/job.js";
import type { LoraFile, ServerMessage, Snapshot } from "../protocol/messages.js";
import { type KnownDatasets, openKnownDatasets } from "./known-datasets.js";
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
  readonly datasets: KnownDatasets;
  publish(message: ServerMessage): void;
  /** Sends the snapshot and from then on every change, with nothing lost or doubled between. Returns the way to leave. */
  follow(listener: (message: ServerMessage) => void): Promise<() => void>;
  followers(): number;
  close(): Promise<void>;
};

export function openState(paths: HomePaths, loraDir = paths.loraDir): State {
  const listeners = new Set<(message: ServerMessage) => void>();
  const store = openStore(paths.database);
  const datasets = openKnownDatasets(paths.datasetsDir, store, (summaries) => publish({ type: "datasets", datasets: summaries }));
  const queue = openQueue({ store, paths, onEvent: tellOfJob });

  function publish(message: ServerMessage): void {
    for (const listener of listeners) listener(message);
  }

  function tellOfJob(job: string, event: JobEvent): void {
    publish({ type: "jobEvent", job, event });
    if (event.type === "saved") void listLorasOf(loraDir, store).then((loras) => publish({ type: "loras", loras }));
  }

  return {
    paths,
    loraDir,
    store,
    queue,
    datasets,
    publish,
    async follow(listener) {
      await Promise.race([datasets.scanUnknown(), sleep(SNAPSHOT_PATIENCE_MS)]);
      const [baseModels, summaries, loras] = await Promise.all([
        listBaseModels(paths.home),
        datasets.summaries(),
        listLorasOf(loraDir, store),
      ]);
      const snapshot: Snapshot = {
        home: paths.home,
        loraDir,
        baseModels,
        datasets: summaries,
        jobs: store.jobs(),
        loras,
        host: null,
        access: fullAccess,
      };
      listener({ type: "snapshot", snapshot });
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    followers: () => listeners.size,
    async close() {
      await queue.close();
      store.close();
    },
  };
}

function listLorasOf(loraDir: string, store: Store): Promise<LoraFile[]> {
  const jobs = new Map(store.jobs().flatMap((job) => job.saves.map((save) => [save.file, job.id] as const)));
  return listLoras(loraDir, (file) => jobs.get(file) ?? null);
}
