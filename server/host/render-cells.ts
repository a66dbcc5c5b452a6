import { createHash } from "node:crypto";
import type { z } from "zod";
import { FailureError } from "../../protocol/errors.js";
import { type HostState, type RenderCell, RenderSettings } from "../../protocol/host.js";
import type { Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";

export type RenderWish = z.infer<ReturnType<typeof RenderSettings.partial>>;

/** More cells than this are a mistake rather than a wish: they would keep a WebUI busy for days. */
export const MAX_CELLS = 4000;

const SAMPLER_LABELS = { ddim: "DDIM", euler: "Euler" } as const;

/**
 * What the WebUI draws a run's grid with: the plan's grid and resolution, then what was wished for. The checkpoint is the one that the
 * WebUI has loaded, by name as far as it is known, so that a later change of it is another grid. Throws `bad_request`.
 */
export function renderSettings(plan: Plan, wish: RenderWish, host: HostState | null): RenderSettings {
  const { grid, resolution, clipSkip } = plan.settings;
  const sampler = SAMPLER_LABELS[grid.sampler];
  const usual: RenderSettings = {
    prompts: grid.prompts.length > 0 ? grid.prompts : [plan.dataset.triggerWord],
    negativePrompt: grid.negativePrompt,
    sampler: host?.facts.samplers.includes(sampler) ? sampler : null,
    scheduler: host?.facts.schedulers.includes("Automatic") ? "Automatic" : null,
    steps: grid.steps,
    cfgScale: grid.cfgScale,
    width: renderSide(resolution.width),
    height: renderSide(resolution.height),
    clipSkip,
    checkpoint: host?.checkpoints.loaded ?? null,
  };
  const given = Object.entries(wish).filter(([, value]) => value !== undefined);
  const settings = RenderSettings.safeParse({ ...usual, ...Object.fromEntries(given) });
  if (settings.success) return settings.data;
  const issue = settings.error.issues[0];
  throw new FailureError("bad_request", `The WebUI can't draw with these settings: ${issue?.path.join(".")}: ${issue?.message}.`);
}

/** Short name of everything that a cell's look depends on besides its own coordinates. */
export function settingsHash(settings: RenderSettings): string {
  const inOrder = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(inOrder)).digest("hex").slice(0, 12);
}

/**
 * The cells of these epochs: the column without a LoRA once, then epochs × weights × prompts × seeds. `file` lies below the run's
 * `webui/`. Throws `bad_request` for an epoch that is not saved, or for too many cells.
 */
export function renderCells(job: Job, plan: Plan, settings: RenderSettings, epochs: readonly number[]): RenderCell[] {
  const { weights, seeds } = plan.settings.grid;
  const folder = settingsHash(settings);
  const each = (epoch: number, lora: string | null, columns: readonly number[]): RenderCell[] =>
    columns.flatMap((weight) =>
      settings.prompts.flatMap((_, prompt) =>
        [...new Set(seeds)].map((seed) => ({
          epoch,
          lora,
          weight,
          prompt,
          seed,
          file: `${folder}/e${epoch}-w${weight}-p${prompt}-s${seed}.png`,
        })),
      ),
    );
  const drawn = [...new Set(weights)].filter((weight) => weight !== 0);
  const cells = [each(0, null, [0]), ...savesOf(job, epochs).map(({ epoch, lora }) => each(epoch, lora, drawn))].flat();
  if (cells.length <= MAX_CELLS) return cells;
  throw new FailureError(
    "bad_request",
    `This grid would have ${cells.length} cells, more than the ${MAX_CELLS} that are drawn at once; choose fewer epochs or prompts.`,
  );
}

/** The saved epochs among `epochs`, each with its LoRA's name. Throws `bad_request` for one that is not saved. */
export function savesOf(job: Job, epochs: readonly number[]): { epoch: number; lora: string }[] {
  return [...new Set(epochs)]
    .sort((a, b) => a - b)
    .map((epoch) => {
      const save = job.saves.find((found) => found.epoch === epoch);
      if (save !== undefined) return { epoch, lora: save.file.replace(/\.safetensors$/, "") };
      throw new FailureError("bad_request", `Epoch ${epoch} of "${job.name}" is not saved yet; draw it as soon as it is.`);
    });
}

function renderSide(pixels: number): number {
  return Math.min(2048, Math.max(64, Math.round(pixels / 8) * 8));
}
