import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { Verdict } from "../../protocol/grid.js";
import type { Job } from "../../protocol/job.js";
import { epochPoints } from "../data/losses.js";
import { LocaleController, language, t } from "../locales/locale.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { epochData, epochOptions, lossData, lossOptions } from "./loss-chart-options.js";
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

declare global {
  interface HTMLElementTagNameMap {
    "tl-loss-chart": TlLossChart;
  }
}
