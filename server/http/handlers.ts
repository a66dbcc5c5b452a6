import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "../../protocol/errors.js";
import type { ClientMessage, ClientMessageType, ResultOf } from "../../protocol/messages.js";
import type { Plan } from "../../protocol/plan.js";
import { rejectImage, setCaption, setTriggerWord } from "../dataset/edit.js";
import { fixDataset } from "../dataset/fix.js";
import { importDataset } from "../dataset/import.js";
import { undoEdit } from "../dataset/undo.js";
import { listBaseModels } from "../library/base-models.js";
import { makePlan } from "../plan/make-plan.js";
import { readPlanFile } from "../plan/plan-file.js";
import type { JobCommand } from "../queue/transitions.js";
import type { State } from "../state.js";
import { type TrainerDevice, trainerDevice } from "../trainer/device.js";
import { readTail } from "../trainer/read-tail.js";
import { jobOfRun, newRun, runDirOf } from "../trainer/run.js";
import { takeTurns } from "./turns.js";
import { uploadSource } from "./uploads.js";

/** What is done for each request of the protocol. */
export type Handlers = { [Type in ClientMessageType]: (message: Extract<ClientMessage, { type: Type }>) => Promise<ResultOf[Type]> };

const LOG_TAIL = 256 * 1024;

/** Finds the request's handler; the table's type is what makes the two fit. */
export function handle<Type extends ClientMessageType>(handlers: Handlers, message: Extract<ClientMessage, { type: Type }>): Promise<ResultOf[Type]> {
  const handler: Handlers[Type] = handlers[message.type];
  return handler(message);
}

export function makeHandlers(state: State): Handlers {
  return { ...datasetHandlers(state), ...planHandlers(state), ...jobHandlers(state) };
}

type DatasetType = "importDataset" | "scanDataset" | "fixDataset" | "undoDataset" | "setTriggerWord" | "setCaption" | "rejectImage";

function datasetHandlers(state: State): Pick<Handlers, DatasetType> {
  const turns = takeTurns();
  // Edits of one data set never overlap, and what was known of it before is scanned again.
  const edit = <Result>(name: string, work: (root: string) => Promise<Result>): Promise<Result> =>
    turns(name, async () => {
      const result = await work(state.datasetRoot(name));
      state.forgetScan(name);
      return result;
    });

  return {
    importDataset: ({ source, name }) =>
      turns(name, async () => {
        await mkdir(state.paths.datasetsDir, { recursive: true });
        const upload = source.startsWith("upload:") ? await uploadSource(state.paths.uploadsDir, source.slice("upload:".length)) : null;
        const report = await importDataset({ source: upload?.source ?? source, name, datasetsDir: state.paths.datasetsDir });
        await upload?.remove();
        await state.scan(report.name);
        return report;
      }),
    scanDataset: ({ dataset }) => turns(dataset, () => state.scan(dataset)),
    fixDataset: ({ dataset, only, images, dryRun }) =>
      edit(dataset, (root) => fixDataset(root, { dryRun, ...(only ? { only } : {}), ...(images ? { images } : {}) })),
    undoDataset: ({ dataset, editId }) => edit(dataset, (root) => undoEdit(root, editId)),
    setTriggerWord: ({ dataset, triggerWord }) =>
      edit(dataset, async (root) => {
        await setTriggerWord(root, triggerWord);
        return {};
      }),
    setCaption: ({ dataset, image, caption }) => edit(dataset, (root) => setCaption(root, image, caption)),
    rejectImage: ({ dataset, image }) => edit(dataset, (root) => rejectImage(root, image)),
  };
}

function planHandlers(state: State): Pick<Handlers, "plan" | "enqueue" | "readPlan"> {
  let device: TrainerDevice | null = null;

  async function planOf(message: Extract<ClientMessage, { type: "plan" | "enqueue" }>): Promise<Plan> {
    const dataset = message.type === "enqueue" ? await state.scan(message.dataset) : await state.recentScan(message.dataset);
    const models = await listBaseModels(state.paths.home);
    const baseModel = models.find(({ name }) => name === message.baseModel);
    if (baseModel === undefined)
      throw new FailureError(
        "base_model_missing",
        `There is no base model "${message.baseModel}"; there ${models.length === 1 ? "is" : "are"} ${models.map(({ name }) => name).join(", ")}. Put a checkpoint into ${state.paths.checkpointsDir} or choose one of these.`,
      );
    device ??= await trainerDevice(state.paths);
    return makePlan({ dataset, baseModel, settings: message.settings, now: Date.now(), ...(device ? { device } : {}) });
  }

  return {
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
