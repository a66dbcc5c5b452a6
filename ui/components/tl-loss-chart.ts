import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type uPlot from "uplot";
import type { Verdict } from "../../protocol/grid.js";
import type { Job } from "../../protocol/job.js";
import { epochPoints, smoothLosses } from "../data/losses.js";
import { formatChange, formatNumber, formatSmall } from "../locales/format.js";
import { LocaleController, language, t } from "../locales/locale.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { faint, plotAxis } from "./plot.js";
import type { ChartOptions } from "./tl-chart.js";
import "./tl-chart.js";

/** Two charts of a run: the loss of each step, and what was measured after each epoch against the model without a LoRA. */
@customElement("tl-loss-chart")
export class TlLossChart extends LitElement {
  static override styles = [
    text,
    css`
      :host {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
        gap: var(--tl-gap-huge);
      }
      h2 {
        font-size: var(--tl-text-medium);
      }
      section {
        min-width: 0;
      }
      p {
        max-width: 70ch;
        min-height: 2.6em;
      }
    `,
  ];

  @property({ attribute: false }) losses: Job["losses"] = [];
  @property({ attribute: false }) evaluations: Job["evaluations"] = [];
  @property({ attribute: false }) verdict: Verdict | null = null;
  private _language = "";
  private _lossOptions: ChartOptions | null = null;
  private _epochOptions: ChartOptions | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  // A new options object makes the chart anew, so it only changes with the words or the marked epoch in it.
  protected override willUpdate(changed: PropertyValues): void {
    if (this._language === language() && !changed.has("verdict")) return;
    this._language = language();
    this._lossOptions = lossOptions();
    this._epochOptions = epochOptions(this.verdict?.epoch ?? null);
  }

  override render(): TemplateResult {
    const points = epochPoints(this.evaluations);
    return html`
      <section><h2>${t("chart.loss")}</h2><p class="subdued fine">${t("chart.lossHelp")}</p>
        ${
          this.losses.length > 1
            ? html`<tl-chart label=${t("chart.loss")} .options=${this._lossOptions} .data=${lossData(this.losses)}></tl-chart>`
            : html`<p class="subdued">${t("chart.waiting")}</p>`
        }</section>
      <section><h2>${t("chart.epochs")}</h2><p class="subdued fine">${t("chart.epochsHelp")}</p>
        ${
          points.length > 1
            ? html`<tl-chart label=${t("chart.epochs")} .options=${this._epochOptions} .data=${epochData(points)}></tl-chart>`
            : html`<p class="subdued">${t("chart.epochsWaiting")}</p>`
        }</section>
    `;
  }
}

function lossData(losses: Job["losses"]): uPlot.AlignedData {
  return [losses.map(([step]) => step), losses.map(([, loss]) => loss), smoothLosses(losses)];
}

function epochData(points: ReturnType<typeof epochPoints>): uPlot.AlignedData {
  return [
    points.map((point) => point.epoch),
    points.map((point) => point.train),
    points.map((point) => point.heldOut),
    points.map((point) => point.drift),
  ];
}

const show = (format: (value: number) => string) => (_plot: uPlot, value: number | null) => (value === null ? "–" : format(value));
const plain = (_plot: uPlot, values: number[]) => values.map((value) => formatNumber(value));

function lossOptions(): ChartOptions {
  return (colours) => ({
    scales: { x: { time: false } },
    cursor: { y: false },
    axes: [
      plotAxis(colours, { label: t("chart.step"), values: plain, size: 34 }),
      plotAxis(colours, { values: (_plot, values) => values.map((value) => formatSmall(value)), size: 58 }),
    ],
    series: [
      { label: t("chart.step"), value: show((value) => formatNumber(value)) },
      { label: t("chart.raw"), stroke: faint(colours.accent, 0.3), width: 1, value: show(formatSmall), points: { show: false } },
      { label: t("chart.smoothed"), stroke: colours.accent, width: 2, value: show(formatSmall), points: { show: false } },
    ],
  });
}

function epochOptions(best: number | null): ChartOptions {
  return (colours) => ({
    scales: { x: { time: false, range: (_plot, low, high) => [low - 0.3, high + 0.3] } },
    cursor: { y: false },
    hooks: { drawClear: best === null ? [] : [(plot: uPlot) => shadeEpoch(plot, best, faint(colours.accent, 0.16))] },
    axes: [
      plotAxis(colours, { label: t("chart.epoch"), values: plain, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500], size: 34 }),
      plotAxis(colours, { values: (_plot, values) => values.map((value) => formatChange(value)), size: 62 }),
      plotAxis(colours, {
        scale: "drift",
        side: 1,
        values: (_plot, values) => values.map((value) => formatSmall(value)),
        size: 62,
        grid: { show: false },
      }),
    ],
    series: [
      { label: t("chart.epoch"), value: show((value) => formatNumber(value)) },
      {
        label: t("chart.train"),
        stroke: faint(colours.accent, 0.7),
        dash: [4, 4],
        width: 1.5,
        value: show(formatChange),
        points: { show: true, size: 5 },
      },
      { label: t("chart.heldOut"), stroke: colours.accent, width: 2, value: show(formatChange), points: { show: true, size: 8 } },
      {
        label: t("chart.drift"),
        scale: "drift",
        stroke: colours.drift,
        width: 1.5,
        value: show(formatSmall),
        points: { show: true, size: 7 },
      },
    ],
  });
}

function shadeEpoch(plot: uPlot, epoch: number, colour: string): void {
  const from = plot.valToPos(epoch - 0.3, "x", true);
  const to = plot.valToPos(epoch + 0.3, "x", true);
  plot.ctx.fillStyle = colour;
  plot.ctx.fillRect(from, plot.bbox.top, to - from, plot.bbox.height);
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-loss-chart": TlLossChart;
  }
}
