import { z } from "zod";
import { AutotagMessage, AutotagResult } from "./autotag.js";
import { Dataset, DatasetSummary, FixReport, ImportReport, ProblemCode } from "./dataset.js";
import { Failure } from "./errors.js";
import { HistoryMessage, HistoryResult } from "./history.js";
import { Access, HostSettings, HostState, RenderSettings } from "./host.js";
import { Job, JobEvent } from "./job.js";
import { LoraTool, LoraToolResult } from "./lora-tools.js";
import { PictureEdited, PictureEditMessage } from "./picture-edit.js";
import { BaseModel, Plan } from "./plan.js";
import { Settings } from "./settings.js";
import { SettingsImport } from "./settings-import.js";
import { SortingMessage, SortingResult } from "./sorting.js";
import { Task } from "./task.js";

/** The UI and the server are shipped together; a page of another version is told to reload. */
export const PROTOCOL_VERSION = 1;

const PlanRequest = z.object({ dataset: z.string(), baseModel: z.string(), settings: Settings.partial() });

/**
 * ui → server. Each request carries an `id` that its result repeats. `dataset` is a name, `image` an id of the scan,
 * `baseModel` a name of the snapshot's list, `job` an id.
 */
export const ClientMessage = z.discriminatedUnion("type", [
  /** `source`: a folder or zip on the server's machine, or `upload:<id>` after files were sent to /api/uploads/<id>/. */
  z.object({ id: z.int(), type: z.literal("importDataset"), source: z.string(), name: z.string() }),
  z.object({ id: z.int(), type: z.literal("scanDataset"), dataset: z.string() }),
  z.object({
    id: z.int(),
    type: z.literal("fixDataset"),
    dataset: z.string(),
    only: z.array(ProblemCode).optional(),
    images: z.array(z.string()).optional(),
    dryRun: z.boolean().default(false),
  }),
  /** Undoes the newest edit of the data set, or the named one. */
  z.object({ id: z.int(), type: z.literal("undoDataset"), dataset: z.string(), editId: z.string().optional() }),
  z.object({ id: z.int(), type: z.literal("setTriggerWord"), dataset: z.string(), triggerWord: z.string() }),
  z.object({ id: z.int(), type: z.literal("setCaption"), dataset: z.string(), image: z.string(), caption: z.string() }),
  /** Moves a picture and its caption to the data set's trash; undone like a fix. */
  z.object({ id: z.int(), type: z.literal("rejectImage"), dataset: z.string(), image: z.string() }),
  /** A settings file of ours, of sd-scripts, of kohya_ss or a script that starts them: its bytes as base64, and its name ("" for pasted text). */
  z.object({ id: z.int(), type: z.literal("importSettings"), name: z.string(), content: z.base64().max(1_000_000) }),
  z.object({ id: z.int(), type: z.literal("plan"), ...PlanRequest.shape }),
  z.object({ id: z.int(), type: z.literal("enqueue"), ...PlanRequest.shape }),
  z.object({ id: z.int(), type: z.literal("pauseJob"), job: z.string() }),
  z.object({ id: z.int(), type: z.literal("resumeJob"), job: z.string() }),
  z.object({ id: z.int(), type: z.literal("stopJob"), job: z.string() }),
  /** Asks the running trainer for the LoRA as it is now, for pictures by it, or for the LoRA and an end. */
  z.object({ id: z.int(), type: z.literal("askJob"), job: z.string(), ask: z.enum(["saveNow", "sampleNow", "stopAndSave"]) }),
  /** Adds epochs to a run, also to one that has ended: it goes on, and its schedule is that of the longer run. */
  z.object({ id: z.int(), type: z.literal("extendJob"), job: z.string(), epochs: z.int().min(1).max(1000) }),
  z.object({ id: z.int(), type: z.literal("readLog"), job: z.string() }),
  z.object({ id: z.int(), type: z.literal("readPlan"), job: z.string() }),
  /**
   * Draw now: the WebUI draws the cells of these epochs (default: all saved ones) that it has not drawn with these settings.
   * Answered at once; the cells come as the job's events.
   */
  z.object({
    id: z.int(),
    type: z.literal("drawInWebui"),
    job: z.string(),
    epochs: z.array(z.int().positive()).optional(),
    settings: RenderSettings.partial().optional(),
  }),
  z.object({ id: z.int(), type: z.literal("stopDrawing"), job: z.string() }),
  /** The infotext that fills txt2img: the whole grid as an X/Y/Z plot, or one cell. */
  z.object({
    id: z.int(),
    type: z.literal("pasteText"),
    job: z.string(),
    cell: z
      .object({ epoch: z.int().nonnegative(), weight: z.number(), prompt: z.int().nonnegative(), seed: z.int().nonnegative() })
      .optional(),
    /** Whose grid the cell is of, because their prompts may differ; absent: the WebUI's when it has drawn such a cell. */
    grid: z.enum(["own", "webui"]).optional(),
  }),
  /** Lets the WebUI have the GPU once: the trainer parks, the waiting pictures are drawn, training goes on by itself. */
  z.object({ id: z.int(), type: z.literal("lendGpu"), job: z.string() }),
  z.object({ id: z.int(), type: z.literal("setHostSettings"), settings: HostSettings.partial() }),
  /** Something done with LoRA files of the LoRA folder: they are names below it, and no file is ever written over. */
  z.object({ id: z.int(), type: z.literal("loraTool"), request: LoraTool }),
  /** Writes activation text, preferred weight, notes and the preview picture beside this epoch's LoRA; a card of the user's is merged. */
  z.object({ id: z.int(), type: z.literal("keepLora"), job: z.string(), epoch: z.int().positive(), weight: z.number().optional() }),
  z.object({ id: z.int(), type: z.literal("stopTask"), task: z.string() }),
  /** Takes a task that has ended off the list. */
  z.object({ id: z.int(), type: z.literal("dismissTask"), task: z.string() }),
  ...SortingMessage,
  PictureEditMessage,
  ...HistoryMessage,
  ...AutotagMessage,
]);
export type ClientMessage = z.infer<typeof ClientMessage>;
export type ClientMessageType = ClientMessage["type"];

const Edited = z.object({ editId: z.string() });

/** What each request is answered with; the server parses nothing twice and the UI knows the type by the request's. */
export const ResultOf = {
  importDataset: ImportReport,
  scanDataset: Dataset,
  fixDataset: FixReport,
  undoDataset: z.object({ undone: z.string().nullable() }),
  setTriggerWord: z.object({}),
  setCaption: Edited,
  rejectImage: Edited,
  importSettings: SettingsImport,
  plan: Plan,
  enqueue: z.object({ job: z.string() }),
  pauseJob: z.object({}),
  resumeJob: z.object({}),
  stopJob: z.object({}),
  askJob: z.object({}),
  extendJob: z.object({ epochs: z.int() }),
  readLog: z.object({ text: z.string() }),
  readPlan: Plan,
  drawInWebui: z.object({ cells: z.int() }),
  stopDrawing: z.object({}),
  pasteText: z.object({ text: z.string() }),
  lendGpu: z.object({}),
  setHostSettings: HostSettings,
  keepLora: z.object({ file: z.string() }),
  loraTool: LoraToolResult,
  ...SortingResult,
  editPicture: PictureEdited,
  ...HistoryResult,
  ...AutotagResult,
  stopTask: z.object({}),
  dismissTask: z.object({}),
} satisfies Record<ClientMessageType, z.ZodType>;
export type ResultOf = { [K in keyof typeof ResultOf]: z.infer<(typeof ResultOf)[K]> };

/** A LoRA file in the LoRA folder. */
export const LoraFile = z.object({
  file: z.string(),
  name: z.string(),
  bytes: z.int(),
  modifiedAt: z.int(),
  job: z.string().nullable(),
  epoch: z.int().nullable(),
});
export type LoraFile = z.infer<typeof LoraFile>;

export const Snapshot = z.object({
  home: z.string(),
  loraDir: z.string(),
  baseModels: z.array(BaseModel),
  datasets: z.array(DatasetSummary),
  jobs: z.array(Job),
  loras: z.array(LoraFile),
  /** The WebUI that this server belongs to; null when it runs alone. */
  host: HostState.nullable(),
  access: Access,
  /** Long work that runs, and the last that ended. */
  tasks: z.array(Task),
});
export type Snapshot = z.infer<typeof Snapshot>;

/** server → ui. `hello` and `snapshot` come first; from then on only changes. */
export const ServerMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hello"), protocolVersion: z.int(), serverVersion: z.string() }),
  z.object({ type: z.literal("snapshot"), snapshot: Snapshot }),
  z.object({ type: z.literal("jobAdded"), job: Job }),
  z.object({ type: z.literal("jobEvent"), job: z.string(), event: JobEvent }),
  z.object({ type: z.literal("datasets"), datasets: z.array(DatasetSummary) }),
  z.object({ type: z.literal("loras"), loras: z.array(LoraFile) }),
  /** Also when the WebUI comes, goes or is restarted. */
  z.object({ type: z.literal("host"), host: HostState.nullable() }),
  z.object({ type: z.literal("baseModels"), baseModels: z.array(BaseModel) }),
  /** A task that began, goes on or has ended. */
  z.object({ type: z.literal("task"), task: Task }),
  z.object({ type: z.literal("taskGone"), task: z.string() }),
  z.object({ type: z.literal("result"), id: z.int(), ok: z.literal(true), value: z.unknown() }),
  z.object({ type: z.literal("failure"), id: z.int(), failure: Failure }),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;

/**
 * HTTP, all below the server's root, all behind the session cookie or `Authorization: Bearer <secret>`:
 *   POST /api/session                                   {code} → cookie (the one request without a cookie)
 *   PUT  /api/uploads/<id>/<file name>                  one raw file of an upload
 *   GET  /api/datasets/<name>/images/<image id>?size=N  the picture, or a WebP thumbnail with a longest side of N pixels
 *   GET  /api/jobs/<id>/grid/<file>?size=N              a cell or the sheet, likewise
 *   GET  /api/jobs/<id>/webui/<file>?size=N             a cell or the sheet that the WebUI has drawn
 *   GET  /api/jobs/<id>/report                          the run's report
 *   GET  /api/loras/<file>/inspect                      the file's recipe as JSON
 *   WS   /ws
 *   WS   /host                                          the shim inside the WebUI, see host.ts; wants the bearer secret
 */
export const httpPaths = {
  session: "/api/session",
  upload: (id: string, file: string) => `/api/uploads/${encodeURIComponent(id)}/${encodeURIComponent(file)}`,
  image: (dataset: string, image: string, size?: number) =>
    `/api/datasets/${encodeURIComponent(dataset)}/images/${image.split("/").map(encodeURIComponent).join("/")}${size ? `?size=${size}` : ""}`,
  gridFile: (job: string, file: string, size?: number) =>
    `/api/jobs/${encodeURIComponent(job)}/grid/${file.split("/").map(encodeURIComponent).join("/")}${size ? `?size=${size}` : ""}`,
  webuiFile: (job: string, file: string, size?: number) =>
    `/api/jobs/${encodeURIComponent(job)}/webui/${file.split("/").map(encodeURIComponent).join("/")}${size ? `?size=${size}` : ""}`,
  sampleFile: (job: string, file: string) => `/api/jobs/${encodeURIComponent(job)}/${file.split("/").map(encodeURIComponent).join("/")}`,
  report: (job: string) => `/api/jobs/${encodeURIComponent(job)}/report`,
  inspect: (file: string) => `/api/loras/${file.split("/").map(encodeURIComponent).join("/")}/inspect`,
  socket: "/ws",
  host: "/host",
} as const;
