import { type Html, html } from "./html.js";
import type { EpochEvaluation } from "./verdict-measures.js";

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 46;
const RIGHT = 92;
const TOP = 14;
const BOTTOM = 34;

type Line = { name: string; label: string; values: number[] };

/**
 * The stable losses at weight 1 per epoch and the drift, all in units of the base model's loss, so that they share an
 * axis; null below two epochs. `chosen` gets a vertical mark.
 */
export function reportChart(evaluations: readonly EpochEvaluation[], chosen: number | null): Html | null {
  const sorted = [...evaluations].sort((a, b) => a.epoch - b.epoch);
  const base = sorted[0];
  const last = sorted.at(-1);
  if (base === undefined || last === undefined || base.epoch !== 0 || sorted.length < 3) return null;
  const baseHeldOut = base.heldOutLoss;
  const lines: Line[] = [{ name: "train", label: "training", values: sorted.map(({ trainLoss }) => trainLoss / base.trainLoss) }];
  if (baseHeldOut !== null)
    lines.push({ name: "held", label: "held-out", values: sorted.map(({ heldOutLoss }) => (heldOutLoss ?? baseHeldOut) / baseHeldOut) });
  lines.push({ name: "drift", label: "drift", values: sorted.map(({ drift }) => drift / (baseHeldOut ?? base.trainLoss)) });
  const highest = Math.max(1, ...lines.flatMap(({ values }) => values.filter(Number.isFinite)));
  const x = (epoch: number) => LEFT + ((WIDTH - LEFT - RIGHT) * epoch) / last.epoch;
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(value, highest) / highest);
  return html`<div class="chart"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Losses and drift per epoch relative to the base model">
${ticks(highest).map((tick) => html`<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"/><text x="${LEFT - 8}" y="${fixed(y(tick) + 4)}" text-anchor="end">${tick}</text>`)}
${chosen === null ? null : html`<line class="pick" x1="${fixed(x(chosen))}" x2="${fixed(x(chosen))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`}
${epochTicks(sorted).map((epoch) => html`<text x="${fixed(x(epoch))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${epoch === 0 ? "no LoRA" : epoch}</text>`)}
${lines.map(({ name, values }) => html`<polyline class="${name}" points="${sorted.map(({ epoch }, index) => `${fixed(x(epoch))},${fixed(y(values[index] ?? 0))}`).join(" ")}"/>`)}
${labels(lines, y)}
</svg></div>`;
}

function ticks(highest: number): number[] {
  const step = highest > 2 ? Math.ceil(highest / 4) : 0.25;
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, index) => index * step);
}

const MOST_EPOCHS = 12;

function epochTicks(evaluations: readonly EpochEvaluation[]): number[] {
  const step = Math.ceil((evaluations.length - 1) / MOST_EPOCHS);
  return evaluations.filter((_, index) => index % step === 0).map(({ epoch }) => epoch);
}

const LINE_HEIGHT = 15;

/** The lines' names at their right ends, pushed apart where they would overlap. */
function labels(lines: readonly Line[], y: (value: number) => number): Html[] {
  const placed = lines.map((line) => ({ line, at: y(line.values.at(-1) ?? 0) + 4 })).sort((a, b) => a.at - b.at);
  let lowest = Number.NEGATIVE_INFINITY;
  return placed.map(({ line, at }) => {
    lowest = Math.max(at, lowest + LINE_HEIGHT);
    return html`<text class="${line.name}" x="${WIDTH - RIGHT + 8}" y="${fixed(lowest)}">${line.label} ${(line.values.at(-1) ?? 0).toFixed(2)}</text>`;
  });
}

function fixed(value: number): string {
  return value.toFixed(1);
}
