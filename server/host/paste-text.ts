import { FailureError } from "../../protocol/errors.js";
import type { RenderSettings } from "../../protocol/host.js";
import type { Job } from "../../protocol/job.js";
import type { ClientMessage } from "../../protocol/messages.js";
import type { Plan } from "../../protocol/plan.js";
import { renderSettings, savesOf } from "./render-cells.js";
import type { Webui } from "./webui.js";

type PasteMessage = Extract<ClientMessage, { type: "pasteText" }>;

/** The infotext that fills txt2img: the whole grid as an X/Y/Z plot, or the one cell that the message names. */
export async function pasteText(webui: Webui, job: Job, plan: Plan, { cell, grid }: PasteMessage): Promise<string> {
  const drawnByWebui = cell !== undefined && (grid === undefined ? hasCell(job, cell) : grid === "webui");
  const settings = drawnByWebui && job.webui ? job.webui.settings : renderSettings(plan, {}, webui.state());
  const saved = job.saves.map(({ epoch }) => epoch);
  if (saved.length === 0)
    throw new FailureError("bad_request", `"${job.name}" has saved no epoch yet; open it in txt2img as soon as the first one is there.`);
  if (cell === undefined) return pasteGrid(webui, { plan, settings, loras: savesOf(job, saved) });
  // The column without a LoRA is any epoch at weight 0, which the WebUI draws exactly alike.
  const [epoch, weight] = cell.epoch === 0 ? [Math.max(...saved), 0] : [cell.epoch, cell.weight];
  return ask(webui, {
    settings,
    prompt: promptOf(settings, cell.prompt),
    seed: cell.seed,
    loras: savesOf(job, [epoch]),
    weights: [weight],
  });
}

/** The grid of these epochs with the plan's weights, the first prompt and the first seed. */
export async function pasteGrid(
  webui: Webui,
  { plan, settings, loras }: { plan: Plan; settings: RenderSettings; loras: { epoch: number; lora: string }[] },
): Promise<string> {
  const { weights, seeds } = plan.settings.grid;
  return ask(webui, { settings, prompt: promptOf(settings, 0), seed: seeds[0] ?? 1, loras, weights });
}

type Ask = { settings: RenderSettings; prompt: string; seed: number; loras: { epoch: number; lora: string }[]; weights: number[] };

async function ask(webui: Webui, { loras, ...fields }: Ask): Promise<string> {
  const named = loras.map(({ epoch, lora }) => ({ name: lora, epoch }));
  return (await webui.demand().request("pasteText", { ...fields, loras: named })).text;
}

function promptOf(settings: RenderSettings, index: number): string {
  const prompt = settings.prompts[index];
  if (prompt !== undefined) return prompt;
  throw new FailureError("bad_request", `This grid has ${settings.prompts.length} prompts, but the cell names number ${index + 1}.`);
}

function hasCell(job: Job, cell: NonNullable<PasteMessage["cell"]>): boolean {
  return (job.webui?.cells ?? []).some(
    ({ epoch, weight, prompt, seed }) => epoch === cell.epoch && weight === cell.weight && prompt === cell.prompt && seed === cell.seed,
  );
}
