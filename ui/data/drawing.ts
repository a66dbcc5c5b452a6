import type { HostSettings, RenderSettings } from "../../protocol/host.js";
import type { Job } from "../../protocol/job.js";
import { httpPaths, ResultOf } from "../../protocol/messages.js";
import type { Plan } from "../../protocol/plan.js";
import type { Place } from "./grid-model.js";
import type { GridSource } from "./route.js";
import type { Session } from "./session.js";

/** One picture of a grid. */
export type CellAddress = Place & { prompt: number; seed: number };

/**
 * Lets the WebUI draw what it has not drawn yet of a run: as last time, but for the changes; the first time the server goes by the plan.
 * Resolves with how many cells will come as the job's events.
 */
export async function drawInWebui(session: Session, job: Job, changes: Partial<RenderSettings> = {}): Promise<number> {
  const settings = { ...job.webui?.settings, ...changes };
  const request = { type: "drawInWebui" as const, job: job.id, ...(Object.keys(settings).length > 0 ? { settings } : {}) };
  return (await session.connection.request(ResultOf.drawInWebui, request)).cells;
}

export async function stopDrawing(session: Session, job: string): Promise<void> {
  await session.connection.request(ResultOf.stopDrawing, { type: "stopDrawing", job });
}

/**
 * The infotext that fills txt2img: with a cell that picture, without one the whole grid as an X/Y/Z plot. `source` says whose grid
 * the cell is of, as their texts may differ.
 */
export async function pasteText(session: Session, job: string, cell?: CellAddress, source?: GridSource): Promise<string> {
  const grid = source && (source === "webui" ? ("webui" as const) : ("own" as const));
  const request = { type: "pasteText" as const, job, ...(cell ? { cell } : {}), ...(grid ? { grid } : {}) };
  return (await session.connection.request(ResultOf.pasteText, request)).text;
}

/** Lets the WebUI draw what waits for the GPU; training goes on by itself afterwards. */
export async function lendGpu(session: Session, job: string): Promise<void> {
  await session.connection.request(ResultOf.lendGpu, { type: "lendGpu", job });
}

export function setHostSettings(session: Session, settings: Partial<HostSettings>): Promise<HostSettings> {
  return session.connection.request(ResultOf.setHostSettings, { type: "setHostSettings", settings });
}

/** Writes the card of an epoch's LoRA; resolves with the card's file name. */
export async function keepLora(session: Session, job: string, { epoch, weight }: Place): Promise<string> {
  return (await session.connection.request(ResultOf.keepLora, { type: "keepLora", job, epoch, weight })).file;
}

/** Address of a picture that the WebUI has drawn; with `size` a thumbnail with that longest side. */
export function webuiFileUrl(session: Session, job: string, file: string, size?: number): string {
  return `${session.base}${httpPaths.webuiFile(job, file, size)}`;
}

/** What the WebUI would draw with if nothing was changed: as last time, or else as the plan says. Null while the plan is unknown. */
export function drawingSettings(job: Job, plan: Plan | null): RenderSettings | null {
  if (job.webui) return job.webui.settings;
  if (!plan) return null;
  const { grid, resolution, clipSkip } = plan.settings;
  return {
    prompts: grid.prompts,
    negativePrompt: grid.negativePrompt,
    sampler: null,
    scheduler: null,
    steps: grid.steps,
    cfgScale: grid.cfgScale,
    width: resolution.width,
    height: resolution.height,
    clipSkip,
    checkpoint: null,
  };
}
