import { html, nothing, type TemplateResult } from "lit";
import { flagsAt, type GridModel, type Place, relativeScore } from "../data/grid-model.js";
import { t } from "../locales/locale.js";

/** What lies over a cell: what was seen in it, else that its epoch breaks at this weight, else the epoch's score as a tint. */
export function renderHeat(model: GridModel, place: Place, prompt: number, seed: number): TemplateResult | typeof nothing {
  const flags = flagsAt(model, place, prompt, seed);
  if (flags.length > 0) return html`<span class="heat bad"><span>${flags.map((flag) => t(`flag.${flag}`)).join(", ")}</span></span>`;
  const score = place.epoch === 0 ? null : relativeScore(model.verdict, place.epoch);
  const broken = model.verdict?.scores.find((one) => one.epoch === place.epoch)?.breakWeight ?? null;
  if (broken !== null && place.weight >= broken) return html`<span class="heat warn"><span>${t("grid.breaks")}</span></span>`;
  return score === null ? nothing : html`<span class="heat" style=${`--score: ${Math.round(score * 60)}%`}></span>`;
}
