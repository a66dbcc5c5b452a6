import type { Grid, Reason, Verdict } from "../../protocol/grid.js";
import type { Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import { type Html, html } from "./html.js";

/** A picture as a data URI beside what it shows. */
export type Pair = { prompt: string; base: string; chosen: string };

export function verdictSection(verdict: Verdict | null, plan: Plan, job: Job): Html {
  if (verdict === null) return html`<section class="verdict"><p>There is no verdict: no epoch was both trained and measured.</p></section>`;
  const reasons = verdict.reasons.map((reason) => html`<li>${reason.text}${places(reason)}</li>`);
  return html`<section class="verdict"><p>${verdict.sentence}</p><ul>${reasons}</ul>${promptWords(verdict, plan, job)}</section>`;
}

export function pairsSection(pairs: readonly Pair[], verdict: Verdict | null): Html | null {
  if (pairs.length === 0 || verdict === null) return null;
  return html`<h2>Without a LoRA, and epoch ${verdict.epoch} at weight ${verdict.weight}</h2><div class="pairs">${pairs.map(
    ({ prompt, base, chosen }) =>
      html`<figure class="pair"><div><img src="${base}" alt="without a LoRA"><img src="${chosen}" alt="epoch ${verdict.epoch} at weight ${verdict.weight}"></div><figcaption>${prompt}</figcaption></figure>`,
  )}</div>`;
}

export function sheetSection(grid: Grid | null, sheet: string | null): Html | null {
  if (grid === null || sheet === null) return null;
  const { settings } = grid;
  const seeds = `${settings.seeds.length === 1 ? "seed" : "seeds"} ${settings.seeds.join(", ")}`;
  return html`<h2>Epochs down, weights across</h2><figure class="sheet"><img src="${sheet}" alt="Grid of epochs and weights"></figure>
<p class="quiet">${grid.width} × ${grid.height}, ${settings.sampler}, ${settings.steps} steps, CFG ${settings.cfgScale}, ${seeds}.${flagWords(grid)}</p>`;
}

export function epochsSection(job: Job, verdict: Verdict | null): Html | null {
  const base = job.evaluations.find(({ epoch }) => epoch === 0);
  if (base === undefined) return null;
  const scores = new Map(verdict?.scores.map((score) => [score.epoch, score]));
  const rows = [...job.evaluations]
    .sort((a, b) => a.epoch - b.epoch)
    .map(({ epoch, trainLoss, heldOutLoss, drift }) => {
      const score = scores.get(epoch);
      const broken = score === undefined ? "" : score.breakWeight === null ? "none drawn" : String(score.breakWeight);
      return html`<tr${epoch === verdict?.epoch ? html` class="choice"` : null}><th scope="row">${epoch === 0 ? "no LoRA" : epoch}</th>
<td>${relative(trainLoss, base.trainLoss)}</td><td>${heldOutLoss === null || base.heldOutLoss === null ? "–" : relative(heldOutLoss, base.heldOutLoss)}</td><td>${(drift / (base.heldOutLoss ?? base.trainLoss)).toFixed(3)}</td>
<td>${broken}</td><td>${score?.likeness.toFixed(2) ?? ""}</td><td>${score?.flexibility.toFixed(2) ?? ""}</td><td>${score?.combined.toFixed(2) ?? ""}</td></tr>`;
    });
  return html`<div class="table"><table><thead><tr><th>Epoch</th><th>Training loss</th><th>Held-out loss</th><th>Drift</th><th>Breaks at weight</th><th>Likeness</th><th>Flexibility</th><th>Together</th></tr></thead><tbody>${rows}</tbody></table></div>
<p class="quiet">Losses and drift at weight 1 in units of the base model's own loss: same noise, timesteps and crops in every epoch. Scores from 0 to 1, at each epoch's best weight, smoothed over neighbour epochs.</p>`;
}

export function figuresSection(plan: Plan, job: Job): Html {
  const { settings } = plan;
  const trained = plan.images.filter(({ heldOut }) => !heldOut).length;
  const figures: [string, string][] = [
    ["Base model", plan.baseModel.name],
    ["Pictures", `${trained} trained, ${plan.images.length - trained} held out`],
    ["Steps", `${job.step} of ${plan.totalSteps}, batch ${settings.batchSize}`],
    ["Each picture was seen", `${Math.round(plan.exposuresPerImage)} times`],
    ["Resolution", `${settings.resolution.width} × ${settings.resolution.height}`],
    ["Network", `dim ${settings.networkDim}, alpha ${settings.networkAlpha}`],
    ["Learning rate", `UNet ${settings.unetLr}, text ${settings.textEncoderLr}`],
    ["Schedule", `${settings.lrScheduler}, ${settings.optimizer}`],
    ["Trigger word", plan.dataset.triggerWord || "none"],
    ["Seed", String(settings.seed)],
    ["Training took", duration(job.trainSeconds)],
    ["Grids took", duration(job.gridSeconds)],
  ];
  return html`<h2>How it was made</h2><dl class="figures">${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function filesSection(job: Job, hashes: ReadonlyMap<string, string>, verdict: Verdict | null): Html | null {
  if (job.saves.length === 0) return null;
  const rows = [...job.saves]
    .sort((a, b) => a.epoch - b.epoch)
    .map(
      ({ epoch, step, file, bytes }) =>
        html`<tr${epoch === verdict?.epoch ? html` class="choice"` : null}><td class="file">${file}</td><td>${epoch}</td><td>${step}</td><td>${(bytes / 1e6).toFixed(2)} MB</td><td class="hash">${hashes.get(file)?.slice(0, 12) ?? "–"}</td></tr>`,
    );
  return html`<h2>Files</h2><div class="table"><table><thead><tr><th>File</th><th>Epoch</th><th>Step</th><th>Size</th><th>Hash</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function warningsSection(plan: Plan, job: Job): Html | null {
  const texts = [...(job.failure ? [job.failure.message] : []), ...plan.warnings.map(({ message }) => message), ...job.warnings];
  return texts.length === 0 ? null : html`<h2>Warnings</h2><ul class="warnings">${texts.map((text) => html`<li>${text}</li>`)}</ul>`;
}

const MOST_PLACES = 4;

/** How the chosen epoch is called in the WebUI. */
function promptWords(verdict: Verdict, plan: Plan, job: Job): Html | null {
  const save = job.saves.find(({ epoch }) => epoch === verdict.epoch);
  if (save === undefined) return null;
  const words = [`<lora:${save.file.replace(/\.safetensors$/, "")}:${verdict.weight}>`, plan.dataset.triggerWord].filter(
    (word) => word !== "",
  );
  return html`<p class="use">In the prompt: <code>${words.join(" ")}</code></p>`;
}

function places({ cells }: Reason): Html | null {
  if (cells.length === 0) return null;
  const named = cells.slice(0, MOST_PLACES).map(({ epoch, weight }) => `epoch ${epoch} · ${weight}`);
  return html`<span class="at">${named.join(", ")}${cells.length > MOST_PLACES ? " …" : ""}</span>`;
}

function flagWords({ cells }: Grid): string {
  const drawn = cells.filter(({ epoch }) => epoch > 0);
  const flagged = drawn.filter(({ flags }) => flags.length > 0).length;
  return flagged === 0 ? "" : ` Something was noticed in ${flagged} of ${drawn.length} cells.`;
}

function relative(loss: number, base: number): string {
  return (loss / base).toFixed(3);
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${Math.round(seconds)} s` : `${minutes} min ${Math.round(seconds % 60)} s`;
}
