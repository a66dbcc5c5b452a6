import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { Plan } from "../../protocol/plan.js";
import type { Settings } from "../../protocol/settings.js";
import { type SubsetSamples, samplesBySubset } from "../data/subset-samples.js";
import { formatNumber, formatPercent } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

export type SubsetShares = Settings["subsetShares"];

/**
 * How much of an epoch each subset is: wanted in percent, and what came of it in whole repeats. Nothing where there is one subset only.
 *
 * @fires shares-change - `detail` is SubsetShares with the change; empty when the folders' numbers decide again.
 */
@customElement("tl-subset-shares")
export class TlSubsetShares extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      table {
        width: 100%;
        border-collapse: collapse;
      }
      th {
        font-weight: 500;
        color: var(--tl-subdued);
        text-align: start;
      }
      td,
      th {
        padding: 3px 8px 3px 0;
      }
      td + td,
      th + th {
        text-align: end;
        white-space: nowrap;
      }
      input:not([type="checkbox"], [type="radio"], [type="range"]) {
        width: 9ch;
        text-align: end;
      }
      h2 {
        font-size: var(--tl-text-medium);
      }
    `,
  ];

  @property({ attribute: false }) plan: Plan | null = null;
  @property({ attribute: false }) shares: SubsetShares = {};

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult | typeof nothing {
    const subsets = this.plan ? samplesBySubset(this.plan) : [];
    const own = subsets.filter(({ isReg }) => !isReg);
    if (subsets.length < 2) return nothing;
    return html`<section aria-labelledby="title" class="stack">
      <h2 id="title">${t("shares.title")}</h2>
      <table>
        <thead><tr><th>${t("shares.subset")}</th><th>${t("shares.pictures")}</th>${own.length > 1 ? html`<th>${t("shares.wanted")}</th>` : nothing}<th>${t("shares.repeats")}</th><th>${t("shares.share")}</th></tr></thead>
        <tbody>${subsets.map((subset) => this._renderSubset(subset, own.length > 1))}</tbody>
      </table>
      <p class="subdued fine">${t(Object.keys(this.shares).length > 0 ? "shares.solved" : "shares.folders")}
        ${Object.keys(this.shares).length > 0 ? html`<button class="small quiet" data-test="shares-reset" @click=${() => this._tell({})}>${t("shares.reset")}</button>` : nothing}</p>
    </section>`;
  }

  private _renderSubset({ name, images, repeats, share, isReg }: SubsetSamples, canChoose: boolean): TemplateResult {
    const wanted = this.shares[name];
    const field = html`<input type="number" min="1" max="100" step="1" data-subset=${name} aria-label=${t("shares.wantedOf", { name })} placeholder=${formatNumber(Math.round(share * 100))} .value=${wanted === undefined ? "" : String(wanted)} @change=${(event: Event & { currentTarget: HTMLInputElement }) => this._change(name, event.currentTarget.value)} />`;
    return html`<tr>
      <td><code class="break">${name}</code> ${isReg ? html`<span class="subdued fine">${t("shares.reg")}</span>` : nothing}</td>
      <td class="number">${formatNumber(images)}</td>
      ${canChoose ? html`<td>${isReg ? nothing : field}</td>` : nothing}
      <td class="number">× ${repeats.map((value) => formatNumber(value)).join("–")}</td>
      <td class="number" data-test="share">${isReg ? t("shares.asMany") : formatPercent(share)}</td>
    </tr>`;
  }

  private _change(name: string, value: string): void {
    const percent = Number(value);
    const { [name]: _old, ...others } = this.shares;
    const isShare = value !== "" && Number.isFinite(percent) && percent >= 1 && percent <= 100;
    this._tell(isShare ? { ...others, [name]: percent } : others);
  }

  private _tell(detail: SubsetShares): void {
    this.dispatchEvent(new CustomEvent<SubsetShares>("shares-change", { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-subset-shares": TlSubsetShares;
  }
}
