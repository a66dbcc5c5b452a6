import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Failure, FailureError } from "../../protocol/errors.js";
import type { RenderCell, RenderSettings } from "../../protocol/host.js";
import type { Job, JobEvent, WebuiCell } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import type { HomePaths } from "../paths.js";
import { readPlanFile } from "../plan/plan-file.js";
import { failureOf } from "../trainer/failure-of.js";
import { readEvents, runDirOf } from "../trainer/run.js";
import type { GpuTurns } from "./gpu-turns.js";
import { pasteGrid } from "./paste-text.js";
import { type RenderWish, renderCells, renderSettings, savesOf, settingsHash } from "./render-cells.js";
import type { Webui } from "./webui.js";
import { writeWebuiSheet } from "./webui-sheet.js";

/** The grids that the WebUI draws for runs. */
export type Drawings = {
  /** Begins to draw what is missing of these epochs (default: all saved ones); tells how many cells that are. */
  draw(job: string, wish: { epochs?: readonly number[] | undefined; settings?: RenderWish | undefined }): Promise<{ cells: number }>;
  /** Ends the drawing of a run; what is drawn stays. */
  stop(job: string): void;
  /** An epoch was saved: draws it when the user wants that after each epoch. */
  epochSaved(job: string, epoch: number): void;
  /** Settles when no drawing goes on any more. */
  close(): Promise<void>;
};

export type DrawingsRequest = {
  readonly paths: HomePaths;
  readonly webui: Webui;
  readonly gpu: GpuTurns;
  readonly jobs: () => readonly Job[];
  readonly tell: (job: string, event: JobEvent) => void;
};

type Order = {
  readonly job: Job;
  readonly plan: Plan;
  readonly settings: RenderSettings;
  readonly cells: readonly RenderCell[];
  /** Cells that an earlier drawing with these settings left on disk. */
  readonly kept: readonly WebuiCell[];
  /** The sheet goes to the WebUI's grid folder as well. */
  readonly keepSheet: boolean;
};

type Going = { readonly stopped: AbortController; readonly done: Promise<void>; readonly later: Set<number> };

export function openDrawings(request: DrawingsRequest): Drawings {
  const { paths, webui, jobs, tell } = request;
  const going = new Map<string, Going>();
  endCutOff(request);

  async function orderOf(id: string, { epochs, settings: wish }: Parameters<Drawings["draw"]>[1], automatic: boolean): Promise<Order> {
    const job = jobs().find((known) => known.id === id);
    if (job === undefined) throw new FailureError("not_found", `There is no job with the id "${id}".`);
    checkAbilities(webui);
    const plan = await readPlanFile(join(runDirOf(paths, id), "plan.json"));
    const settings = automatic && job.webui ? job.webui.settings : renderSettings(plan, wish ?? {}, webui.state());
    const wanted = epochs ?? job.saves.map(({ epoch }) => epoch);
    checkSaved(job, wanted);
    const kept = await keptCells(job, settings, paths);
    const drawn = new Set((kept.length > 0 ? kept : shownCells(job, settings)).map(({ file }) => file));
    const folder = webuiFolder(paths, id);
    const cells = renderCells(job, plan, settings, wanted).filter(({ file }) => !drawn.has(file) || !existsSync(fileOf(folder, file)));
    return { job, plan, settings, cells, kept, keepSheet: !automatic || wanted.includes(job.epochs) };
  }

  function begin(order: Order): void {
    const { id } = order.job;
    const stopped = new AbortController();
    const later = new Set<number>();
    tell(id, { type: "webuiDrawing", time: Date.now(), settings: order.settings, total: order.cells.length + order.kept.length });
    for (const cell of order.kept) tell(id, { type: "webuiCell", time: Date.now(), ...cell });
    const done = drawOrder(order, { ...request, signal: stopped.signal }).then(() => {
      going.delete(id);
      if (later.size > 0 && !stopped.signal.aborted) void drawLater(id, [...later]);
    });
    going.set(id, { stopped, done, later });
  }

  async function drawLater(id: string, epochs: readonly number[]): Promise<void> {
    try {
      const order = await orderOf(id, { epochs }, true);
      // Another drawing may have begun while the plan was read: these epochs come after it.
      const present = going.get(id);
      if (present) for (const epoch of epochs) present.later.add(epoch);
      else if (hasWork(order)) begin(order);
    } catch (error) {
      tell(id, { type: "webuiDrawn", time: Date.now(), sheet: null, failure: failureOf(error) });
    }
  }

  return {
    async draw(id, wish) {
      const order = await orderOf(id, wish, false);
      if (going.has(id))
        throw new FailureError("webui_busy", `The WebUI draws "${order.job.name}" already; stop that first, or wait for it.`);
      if (hasWork(order)) begin(order);
      return { cells: order.cells.length };
    },
    stop: (id) => going.get(id)?.stopped.abort(new FailureError("webui_busy", "The drawing was stopped.")),
    epochSaved(id, epoch) {
      const { drawAfterEachEpoch, gpuPolicy } = webui.settings();
      if (!drawAfterEachEpoch || gpuPolicy === "leaveAlone" || webui.link() === null) return;
      const present = going.get(id);
      if (present) present.later.add(epoch);
      else void drawLater(id, [epoch]);
    },
    async close() {
      for (const { stopped } of going.values()) stopped.abort(new FailureError("server_missing", "The server is leaving."));
      await Promise.all([...going.values()].map(({ done }) => done));
    },
  };
}

/** The folder below which the WebUI's cells of a run lie. */
export function webuiFolder(paths: HomePaths, job: string): string {
  return join(runDirOf(paths, job), "webui");
}

// Never rejects: how it ended is the job's last event of this drawing.
async function drawOrder(order: Order, request: DrawingsRequest & { signal: AbortSignal }): Promise<void> {
  const { job } = order;
  let failure: Failure | null = null;
  let sheet: string | null = null;
  try {
    await renderAll(order, request);
  } catch (error) {
    // A stop is a wish that was granted, no failure.
    if (!request.signal.aborted || error !== request.signal.reason) failure = failureOf(error);
  }
  try {
    sheet = await composeSheet(order, request);
    if (order.keepSheet && failure === null && !request.signal.aborted) await keepSheet(order, sheet, request);
  } catch (error) {
    failure ??= failureOf(error);
  }
  try {
    request.tell(job.id, { type: "webuiDrawn", time: Date.now(), sheet, failure });
  } catch {
    // A full disk: the store holds in memory what it could not write.
  }
}

async function renderAll({ job, settings, cells }: Order, { webui, gpu, paths, tell, signal }: DrawingsRequest & { signal: AbortSignal }) {
  if (cells.length === 0) return;
  const byFile = new Map(cells.map((cell) => [cell.file, cell]));
  const broken = new AbortController();
  const onCell = ({ file, infotext }: { file: string; infotext: string }) => {
    const cell = byFile.get(file);
    if (cell === undefined) return;
    const { lora: _lora, ...shown } = cell;
    try {
      tell(job.id, { type: "webuiCell", time: Date.now(), ...shown, infotext });
    } catch (error) {
      broken.abort(error);
    }
  };
  await gpu.whileDrawing(() =>
    webui
      .demand()
      .request(
        "renderCells",
        { settings, cells: [...cells], outDir: webuiFolder(paths, job.id), title: `${job.name}: ${cells.length} pictures` },
        { signal: AbortSignal.any([signal, broken.signal]), onCell },
      ),
  );
}

async function composeSheet({ job, settings }: Order, { jobs, paths }: DrawingsRequest): Promise<string | null> {
  const cells = jobs().find(({ id }) => id === job.id)?.webui?.cells ?? [];
  if (cells.length === 0) return null;
  const folder = webuiFolder(paths, job.id);
  const file = `${settingsHash(settings)}/sheet.png`;
  await writeWebuiSheet({ title: `${job.name} on ${settings.checkpoint ?? job.baseModel}`, settings, cells, folder }, join(folder, file));
  return file;
}

async function keepSheet({ job, plan, settings }: Order, sheet: string | null, { webui, paths, jobs }: DrawingsRequest): Promise<void> {
  const cells = jobs().find(({ id }) => id === job.id)?.webui?.cells ?? [];
  if (sheet === null) return;
  const epochs = new Set(cells.map(({ epoch }) => epoch));
  const loras = savesOf(
    job,
    job.saves.map(({ epoch }) => epoch).filter((epoch) => epochs.has(epoch)),
  );
  // Pasted from the sheet, txt2img draws the same grid; a WebUI without our axes gets the words of one cell.
  const infotext = await pasteGrid(webui, { plan, settings, loras }).catch(() => cells.at(-1)?.infotext ?? "");
  await webui.demand().request("saveGrid", { sheet: join(webuiFolder(paths, job.id), sheet), infotext, title: job.name });
}

function hasWork({ cells, kept }: Order): boolean {
  return cells.length > 0 || kept.length > 0;
}

/** Who goes back to settings that were drawn with before gets those pictures back instead of waiting for them again. */
async function keptCells(job: Job, settings: RenderSettings, paths: HomePaths): Promise<WebuiCell[]> {
  if (job.webui === null || shownCells(job, settings).length > 0) return [];
  const folder = webuiFolder(paths, job.id);
  const kept = new Map<string, WebuiCell>();
  for (const event of await readEvents(runDirOf(paths, job.id))) {
    if (event.type !== "webuiCell" || !event.file.startsWith(`${settingsHash(settings)}/`)) continue;
    const { type: _type, time: _time, ...cell } = event;
    if (existsSync(fileOf(folder, cell.file))) kept.set(cell.file, cell);
  }
  return [...kept.values()];
}

function shownCells(job: Job, settings: RenderSettings): readonly WebuiCell[] {
  return job.webui && settingsHash(job.webui.settings) === settingsHash(settings) ? job.webui.cells : [];
}

function fileOf(folder: string, file: string): string {
  return join(folder, ...file.split("/"));
}

function checkAbilities(webui: Webui): void {
  webui.demand();
  const can = webui.state()?.facts.can;
  if (can?.renderCells && can.useLoras) return;
  throw new FailureError(
    "webui_failed",
    can?.useLoras
      ? "This WebUI can't draw for other programs; use Open in txt2img instead."
      : "The WebUI's own Lora extension is switched off, so it can't draw with a LoRA; switch it on in Extensions and restart the WebUI.",
  );
}

function checkSaved(job: Job, epochs: readonly number[]): void {
  if (savesOf(job, epochs).length > 0) return;
  throw new FailureError("bad_request", `"${job.name}" has saved no epoch yet; draw its grid as soon as the first one is there.`);
}

function endCutOff({ jobs, tell }: DrawingsRequest): void {
  const message = "The server was ended while the WebUI drew; what was drawn is kept. Draw the grid again for the rest.";
  for (const { id, webui } of jobs())
    if (webui?.drawing) tell(id, { type: "webuiDrawn", time: Date.now(), sheet: null, failure: { code: "server_missing", message } });
}
