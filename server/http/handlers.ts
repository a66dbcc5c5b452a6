import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { ClientMessage, ClientMessageType, ResultOf } from "../../protocol/messages.js";
import type { Plan } from "../../protocol/plan.js";
import { rejectImage, setCaption, setTriggerWord } from "../dataset/edit.js";
import { fixDataset } from "../dataset/fix.js";
import { importDataset } from "../dataset/import.js";
import { undoEdit } from "../dataset/undo.js";
import { importSettings } from "../plan/kohya/import-settings.js";
import { makePlan } from "../plan/make-plan.js";
import { readPlanFile } from "../plan/plan-file.js";
import type { JobCommand } from "../queue/transitions.js";
import type { State } from "../state.js";
import { type TrainerDevice, trainerDevice } from "../trainer/device.js";
import { readTail } from "../trainer/read-tail.js";
import { jobOfRun, newRun, runDirOf } from "../trainer/run.js";
import { autotagHandlers } from "./autotag-handlers.js";
import { historyHandlers } from "./history-handlers.js";
import { loraToolHandlers } from "./lora-tool-handlers.js";
import { pictureEditHandlers } from "./picture-edit-handlers.js";
import { runHandlers } from "./run-handlers.js";
import { sortingHandlers } from "./sorting-handlers.js";
import { taskHandlers } from "./task-handlers.js";
import { uploadSource } from "./uploads.js";
import { webuiHandlers } from "./webui-handlers.js";

/** What is done for each request of the protocol. */
export type Handlers = { [Type in ClientMessageType]: (message: Extract<ClientMessage, { type: Type }>) => Promise<ResultOf[Type]> };

const LOG_TAIL = 256 * 1024;

/** Finds the request's handler; the table's type is what makes the two fit. */
export function handle<Type extends ClientMessageType>(
  handlers: Handlers,
  message: Extract<ClientMessage, { type: Type }>,
): Promise<ResultOf[Type]> {
  const handler: Handlers[Type] = handlers[message.type];
  return handler(message);
}

export function makeHandlers(state: State): Handlers {
  return {
    ...datasetHandlers(state),
    ...planHandlers(state),
    ...jobHandlers(state),
    ...runHandlers(state),
    ...webuiHandlers(state),
    ...loraToolHandlers(state),
    ...taskHandlers(state),
    ...sortingHandlers(state),
    ...pictureEditHandlers(state),
    ...historyHandlers(state),
    ...autotagHandlers(state),
  };
}

type DatasetType = "importDataset" | "scanDataset" | "fixDataset" | "undoDataset" | "setTriggerWord" | "setCaption" | "rejectImage";

function datasetHandlers(state: State): Pick<Handlers, DatasetType> {
  const root = (name: string) => state.datasets.root(name);
  return {
    async importDataset({ source, name }) {
      await mkdir(state.paths.datasetsDir, { recursive: true });
      const upload = source.startsWith("upload:") ? await uploadSource(state.paths.uploadsDir, source.slice("upload:".length)) : null;
      const report = await importDataset({ source: upload?.source ?? source, name, datasetsDir: state.paths.datasetsDir });
      await upload?.remove();
      await state.datasets.scan(report.name);
      return report;
    },
    scanDataset: ({ dataset }) => state.datasets.scan(dataset),
    fixDataset: async ({ dataset, only, images, dryRun }) => fixDataset(root(dataset), { only, images, dryRun }),
    undoDataset: async ({ dataset, editId }) => undoEdit(root(dataset), editId),
    async setTriggerWord({ dataset, triggerWord }) {
      await setTriggerWord(root(dataset), triggerWord);
      return {};
    },
    setCaption: async ({ dataset, image, caption }) => setCaption(root(dataset), image, caption),
    rejectImage: async ({ dataset, image }) => rejectImage(root(dataset), image),
  };
}

function planHandlers(state: State): Pick<Handlers, "importSettings" | "plan" | "enqueue" | "readPlan"> {
  // Asking loads torch for some seconds: it is done while the person looks at the pictures.
  let asked: Promise<TrainerDevice | null> = trainerDevice(state.paths);

  async function planOf(message: Extract<ClientMessage, { type: "plan" | "enqueue" }>): Promise<Plan> {
    const dataset = await state.datasets.scan(message.dataset);
    const models = await state.baseModels();
    // Two folders may hold a checkpoint of the same name; the path tells them apart.
    const baseModel = models.find(({ path }) => path === message.baseModel) ?? models.find(({ name }) => name === message.baseModel);
    if (baseModel === undefined)
      throw new FailureError(
        "base_model_missing",
        `There is no base model "${message.baseModel}"; there ${models.length === 1 ? "is" : "are"} ${models.map(({ name }) => name).join(", ")}. Put a checkpoint into ${state.paths.checkpointsDir} or choose one of these.`,
      );
    // Null before the trainer was installed, so the question is asked again.
    if ((await asked) === null) asked = trainerDevice(state.paths);
    const device = await asked;
    return makePlan({
      dataset,
      baseModel,
      settings: message.settings,
      now: Date.now(),
      webui: state.webui.state()?.facts,
      ...(device ? { device } : {}),
    });
  }

  return {
    importSettings: async ({ name, content }) => importSettings(Buffer.from(content, "base64"), name),
    plan: planOf,
    async enqueue(message) {
      const plan = await planOf(message);
      const { run } = await newRun({ paths: state.paths, plan, loraDir: state.loraDir });
      const job = jobOfRun(run, plan);
      state.publish({ type: "jobAdded", job });
      state.queue.enqueue(job);
      return { job: job.id };
    },
    readPlan: ({ job }) => readPlanFile(join(jobDir(state, job), "plan.json")),
  };
}

function jobHandlers(state: State): Pick<Handlers, "pauseJob" | "resumeJob" | "stopJob" | "readLog"> {
  const command = async (job: string, what: JobCommand) => {
    state.queue.command(job, what);
    return {};
  };
  return {
    pauseJob: ({ job }) => command(job, "pause"),
    resumeJob: ({ job }) => command(job, "resume"),
    stopJob: ({ job }) => command(job, "stop"),
    readLog: async ({ job }) => ({ text: await readTail(join(jobDir(state, job), "trainer.log"), LOG_TAIL) }),
  };
}

function jobDir(state: State, id: string): string {
  if (state.store.job(id) === undefined) throw new FailureError("not_found", `There is no job with the id "${id}".`);
  return runDirOf(state.paths, id);
}
