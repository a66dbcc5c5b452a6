import { z } from "zod";
import { Failure } from "./errors.js";

/**
 * The WebUI as the server sees it. The shim inside the WebUI opens `WS /host` on the server (Authorization: Bearer <secret>), says
 * `hello`, and from then on answers the server's requests over the same socket. The server never calls the WebUI's HTTP API.
 */
export const WebuiFlavour = z.enum(["a1111", "forge", "reforge", "forgeClassic", "unknown"]);
export type WebuiFlavour = z.infer<typeof WebuiFlavour>;

/** A checkpoint of the WebUI. `name` is its file name without extension, `title` what the WebUI's own dropdown shows. */
export const HostCheckpoint = z.object({
  name: z.string(),
  title: z.string(),
  path: z.string(),
  /** The WebUI's short hash (AutoV2) and the whole SHA-256, as far as the WebUI has computed them. */
  shortHash: z.string().nullable(),
  sha256: z.string().nullable(),
});
export type HostCheckpoint = z.infer<typeof HostCheckpoint>;

export const HostCheckpoints = z.object({
  checkpoints: z.array(HostCheckpoint),
  /** `title` of the one that the WebUI's next picture is drawn with; null while there is none. */
  loaded: z.string().nullable(),
  vaes: z.array(z.object({ name: z.string(), path: z.string() })),
});
export type HostCheckpoints = z.infer<typeof HostCheckpoints>;

export const HostFacts = z.object({
  flavour: WebuiFlavour,
  version: z.string(),
  gradioVersion: z.string(),
  pythonVersion: z.string(),
  /** The WebUI's own process; a second WebUI on the same home is told from a restarted one by it. */
  pid: z.int(),
  dataDir: z.string(),
  loraDir: z.string(),
  checkpointDirs: z.array(z.string()),
  /** Names of the command-line options that matter to us, never their values. */
  flags: z.array(z.string()),
  /** Samplers and schedulers by the labels that txt2img shows. */
  samplers: z.array(z.string()),
  schedulers: z.array(z.string()),
  can: z.object({
    /** The WebUI's Lora extension is there, so that our files can be used in a prompt. */
    useLoras: z.boolean(),
    /** Our two axes are in its X/Y/Z script. */
    xyzAxes: z.boolean(),
    /** txt2img can be filled by infotext paste. */
    pasteText: z.boolean(),
    /** The queue's lock and an unload for this flavour are there. */
    leaseGpu: z.boolean(),
    renderCells: z.boolean(),
  }),
});
export type HostFacts = z.infer<typeof HostFacts>;

/** One picture that the WebUI is asked to draw: `files` are LoRA names (no extension), one per epoch; epoch 0 has none. */
export const RenderCell = z.object({
  epoch: z.int().nonnegative(),
  lora: z.string().nullable(),
  weight: z.number(),
  prompt: z.int().nonnegative(),
  seed: z.int().nonnegative(),
  /** Path below `outDir`, with `/`; the shim writes the PNG there with its infotext inside. */
  file: z.string(),
});
export type RenderCell = z.infer<typeof RenderCell>;

/** What a grid of the WebUI is drawn with; null means: what the user has set in the WebUI at this moment. */
export const RenderSettings = z.object({
  prompts: z.array(z.string()).min(1),
  negativePrompt: z.string(),
  sampler: z.string().nullable(),
  scheduler: z.string().nullable(),
  steps: z.int().min(1).max(150),
  cfgScale: z.number().min(1).max(30),
  width: z.int().min(64).max(2048).multipleOf(8),
  height: z.int().min(64).max(2048).multipleOf(8),
  clipSkip: z.int().min(1).max(12),
  /** `title` of a checkpoint; null: the one that is loaded. */
  checkpoint: z.string().nullable(),
});
export type RenderSettings = z.infer<typeof RenderSettings>;

/** server → shim. Each request carries an `id` that its answer repeats; a request that takes long is ended by `cancel`. */
export const HostRequest = z.discriminatedUnion("type", [
  z.object({ id: z.int(), type: z.literal("listCheckpoints") }),
  /** Makes new files of the LoRA folder known to cards, dropdowns and axes. `names` are without extension. */
  z.object({ id: z.int(), type: z.literal("refreshLoras"), names: z.array(z.string()) }),
  /** Waits its turn in the WebUI's queue, gives the model's memory back and holds the queue until `releaseGpu`, `cancel` or a lost socket. */
  z.object({ id: z.int(), type: z.literal("leaseGpu"), job: z.string(), jobName: z.string() }),
  z.object({ id: z.int(), type: z.literal("releaseGpu"), lease: z.string() }),
  /** Draws the cells in order in the WebUI's queue; each is told by `cellDrawn` as soon as its file is whole. */
  z.object({
    id: z.int(),
    type: z.literal("renderCells"),
    settings: RenderSettings,
    cells: z.array(RenderCell).min(1),
    outDir: z.string(),
    /** Told to the user while it waits and draws. */
    title: z.string(),
  }),
  /** The grid sheet that the server has put together, for the WebUI's grid output folder, with infotext. */
  z.object({ id: z.int(), type: z.literal("saveGrid"), sheet: z.string(), infotext: z.string(), title: z.string() }),
  /** An infotext that fills txt2img with these cells as an X/Y/Z plot over our axes; with one cell only, without a script. */
  z.object({
    id: z.int(),
    type: z.literal("pasteText"),
    settings: RenderSettings,
    prompt: z.string(),
    seed: z.int(),
    loras: z.array(z.object({ name: z.string(), epoch: z.int().positive() })).min(1),
    weights: z.array(z.number()).min(1),
  }),
  /** The epochs that the axes offer, newest run last. */
  z.object({
    id: z.int(),
    type: z.literal("setRuns"),
    runs: z.array(
      z.object({
        job: z.string(),
        name: z.string(),
        triggerWord: z.string(),
        saves: z.array(z.object({ name: z.string(), epoch: z.int().positive() })),
      }),
    ),
  }),
  z.object({ id: z.int(), type: z.literal("cancel"), request: z.int() }),
]);
export type HostRequest = z.infer<typeof HostRequest>;
export type HostRequestType = HostRequest["type"];

export const HostResultOf = {
  listCheckpoints: HostCheckpoints,
  /** `missing`: names that the WebUI still does not list. */
  refreshLoras: z.object({ missing: z.array(z.string()) }),
  leaseGpu: z.object({ lease: z.string(), freedMb: z.number().nonnegative() }),
  releaseGpu: z.object({}),
  renderCells: z.object({ drawn: z.int().nonnegative() }),
  saveGrid: z.object({ file: z.string() }),
  pasteText: z.object({ text: z.string() }),
  setRuns: z.object({}),
  cancel: z.object({}),
} satisfies Record<HostRequestType, z.ZodType>;
export type HostResultOf = { [K in keyof typeof HostResultOf]: z.infer<(typeof HostResultOf)[K]> };

/** shim → server. `hello` comes first. */
export const HostMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hello"), protocolVersion: z.int(), facts: HostFacts }),
  z.object({ type: z.literal("answer"), id: z.int(), value: z.unknown() }),
  z.object({ type: z.literal("refusal"), id: z.int(), failure: Failure }),
  /** After each checkpoint load and each change of the list. */
  z.object({ type: z.literal("checkpoints"), checkpoints: HostCheckpoints }),
  z.object({ type: z.literal("cellDrawn"), id: z.int(), file: z.string(), infotext: z.string() }),
  /** How many of the WebUI's own tasks wait behind the lease; told whenever it changes. */
  z.object({ type: z.literal("waiting"), tasks: z.int().nonnegative() }),
]);
export type HostMessage = z.infer<typeof HostMessage>;

/**
 * takeTurns: training holds the WebUI's queue; it parks its weights in RAM for the WebUI at an epoch's end or when asked.
 * share: both use the GPU at once. leaveAlone: the WebUI is never asked for anything but its lists.
 */
export const GpuPolicy = z.enum(["takeTurns", "share", "leaveAlone"]);
export type GpuPolicy = z.infer<typeof GpuPolicy>;

export const HostSettings = z.object({
  gpuPolicy: GpuPolicy,
  /** Let the WebUI draw the grid's new cells after each epoch. */
  drawAfterEachEpoch: z.boolean(),
});
export type HostSettings = z.infer<typeof HostSettings>;

export const defaultHostSettings: HostSettings = { gpuPolicy: "takeTurns", drawAfterEachEpoch: false };

/** none: nobody asked. waiting: in the WebUI's queue. held: training has the GPU. lent: parked, the WebUI has it. */
export const LeaseState = z.object({
  state: z.enum(["none", "waiting", "held", "lent"]),
  job: z.string().nullable(),
  /** The WebUI's own tasks that wait for the lease's end. */
  tasksWaiting: z.int().nonnegative(),
});
export type LeaseState = z.infer<typeof LeaseState>;

/** Who looks at the page. `restricted`: may look, may not start, change or delete; `reason` says why in the page's words. */
export const Access = z.object({
  level: z.enum(["full", "restricted"]),
  reason: z.enum(["none", "openToOthers"]),
  /** No folder of the server's machine may be named or shown (`--hide-ui-dir-config`). */
  hideFolders: z.boolean(),
});
export type Access = z.infer<typeof Access>;

export const fullAccess: Access = { level: "full", reason: "none", hideFolders: false };

/** The shim's verdict on a proxied request, as JSON, believed only beside the bearer secret. */
export const ACCESS_HEADER = "x-train-lora-access";

/** What the page knows of the WebUI around it; null in the snapshot when the server runs alone. */
export const HostState = z.object({
  connected: z.boolean(),
  facts: HostFacts,
  checkpoints: HostCheckpoints,
  settings: HostSettings,
  lease: LeaseState,
});
export type HostState = z.infer<typeof HostState>;
