import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fullAccess } from "../protocol/host.js";
import type { Job, JobEvent } from "../protocol/job.js";
import type { LoraFile, ServerMessage } from "../protocol/messages.js";
import type { BaseModel } from "../protocol/plan.js";
import { type Drawings, openDrawings } from "./host/drawings.js";
import { type GpuTurns, openGpuTurns } from "./host/gpu-turns.js";
import { openLoraNews } from "./host/lora-news.js";
import { openWebui, type Webui } from "./host/webui.js";
import { type KnownDatasets, openKnownDatasets } from "./known-datasets.js";
import { listBaseModels } from "./library/base-models.js";
import { listLoras } from "./library/loras.js";
import type { HomePaths } from "./paths.js";
import { openQueue, type Queue } from "./queue/queue.js";
import { openStore, type Store } from "./store/store.js";
import { openTasks, type TaskNews, type Tasks } from "./tasks/tasks.js";
import { failureOf } from "./trainer/failure-of.js";
import { keepLora } from "./trainer/keep-lora.js";
import { runDirOf } from "./trainer/run.js";

/** How long a new page waits for the first look at data sets that were never scanned. */
const SNAPSHOT_PATIENCE_MS = 1500;

/** Everything that the server knows, and the one place that tells the pages of a change. */
export type State = {
  readonly paths: HomePaths;
  /** Where new runs write: the connected WebUI's folder, else the one that was given at the start. */
  readonly loraDir: string;
  readonly store: Store;
  readonly queue: Queue;
  readonly datasets: KnownDatasets;
  readonly webui: Webui;
  readonly gpu: GpuTurns;
  readonly drawings: Drawings;
  /** Long work beside training. */
  readonly tasks: Tasks;
  /** The pocket model, the home's checkpoints and the WebUI's. */
  baseModels(): Promise<BaseModel[]>;
  publish(message: ServerMessage): void;
  /** Tells the pages what lies in the LoRA folder now. */
  tellLoras(): Promise<void>;
  /** Sends the snapshot and from then on every change, with nothing lost or doubled between. Returns the way to leave. */
  follow(listener: (message: ServerMessage) => void): Promise<() => void>;
  followers(): number;
  close(): Promise<void>;
};

export function openState(paths: HomePaths, startLoraDir = paths.loraDir): State {
  const listeners = new Set<(message: ServerMessage) => void>();
  const publish = (message: ServerMessage) => {
    for (const listener of listeners) listener(message);
  };
  const store = openStore(paths.database);
  const datasets = openKnownDatasets(paths.datasetsDir, store, (summaries) => publish({ type: "datasets", datasets: summaries }));
  const webui = openWebui({ store, onState: (host) => publish({ type: "host", host }) });
  const loraDir = () => webui.state()?.facts.loraDir ?? startLoraDir;
  const baseModels = () => listBaseModels(paths.home, webui.state()?.facts.checkpointDirs);
  const loras = () => listLorasOf(loraDir(), store);
  const gpu = openGpuTurns(webui);
  const queue = openQueue({ store, paths, gpu: gpu.turn, onEvent: tellOfJob });
  const news = openLoraNews({ paths, webui, jobs: store.jobs });
  const drawings = openDrawings({ paths, webui, gpu, jobs: store.jobs, tell: queue.add });
  const tasks = openTasks(taskNews(publish));
  webui.listen((event) => {
    if (event.type === "connected") void tellLoras();
    if (event.type === "connected" || event.type === "checkpoints")
      void baseModels().then((found) => publish({ type: "baseModels", baseModels: found }));
  });

  async function tellLoras(): Promise<void> {
    publish({ type: "loras", loras: await loras() });
  }

  function tellOfJob(job: string, event: JobEvent): void {
    publish({ type: "jobEvent", job, event });
    if (event.type === "finished") void describeChosen(paths, store.job(job));
    if (event.type !== "saved") return;
    void tellLoras();
    news.epochSaved(job, event.file);
    drawings.epochSaved(job, event.epoch);
  }

  return {
    paths,
    get loraDir() {
      return loraDir();
    },
    ...{ store, queue, datasets, webui, gpu, drawings, tasks, baseModels, publish, tellLoras },
    async follow(listener) {
      await Promise.race([datasets.scanUnknown(), sleep(SNAPSHOT_PATIENCE_MS)]);
      const [models, summaries, files] = await Promise.all([baseModels(), datasets.summaries(), loras()]);
      const facts = { home: paths.home, loraDir: loraDir(), host: webui.state(), access: fullAccess };
      const lists = { baseModels: models, datasets: summaries, jobs: store.jobs(), loras: files, tasks: tasks.all() };
      listener({ type: "snapshot", snapshot: { ...facts, ...lists } });
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    followers: () => listeners.size + (webui.link() === null ? 0 : 1),
    async close() {
      await tasks.close();
      await drawings.close();
      await queue.close();
      webui.close();
      store.close();
    },
  };
}

function taskNews(publish: (message: ServerMessage) => void): TaskNews {
  return { onTask: (task) => publish({ type: "task", task }), onGone: (task) => publish({ type: "taskGone", task }) };
}

// The LoRA that the verdict names gets the card that says so; a card that can't be written costs nothing but itself.
async function describeChosen(paths: HomePaths, job: Job | undefined): Promise<void> {
  if (!job?.verdict) return;
  const { epoch, weight } = job.verdict;
  try {
    await keepLora(paths, job, { epoch, weight });
  } catch (error) {
    const line = `warning: the card of epoch ${epoch} was left as it is: ${failureOf(error).message}\n`;
    await appendFile(join(runDirOf(paths, job.id), "trainer.log"), line).catch(() => undefined);
  }
}

function listLorasOf(loraDir: string, store: Store): Promise<LoraFile[]> {
  const jobs = new Map(store.jobs().flatMap((job) => job.saves.map((save) => [save.file, job.id] as const)));
  return listLoras(loraDir, (file) => jobs.get(file) ?? null);
}
