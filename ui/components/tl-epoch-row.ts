import { html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatBytes, formatChange, formatSmall, formatWeight } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { epochRowStyles } from "./tl-epoch-row.styles.js";

export type EpochFacts = {
  epoch: number;
  file: string;
  bytes: number;
  /** Change against the base model in percent; null where nothing was measured (yet). */
  heldOut: number | null;
  drift: number | null;
  /** One entry per weight of the grid; `url` null while the cell is to come. */
  cells: { weight: number; url: string | null }[];
  isBest: boolean;
  gridHref: string | null;
};

/**
 * One saved epoch of a run: selectable at once, its pictures come as they are drawn.
 *
 * @fires epoch-select - `detail` is the epoch.
 */
@customElement("tl-epoch-row")
export class TlEpochRow extends LitElement {
  static override styles = [text, controls, epochRowStyles];

  @property({ attribute: false }) facts: EpochFacts | null = null;
  @property({ type: Boolean, reflect: true }) selected = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { facts } = this;
    if (!facts) return html``;
    return html`<div class="line">
        <label>
          <input type="radio" name="epoch" data-epoch=${facts.epoch} .checked=${this.selected} @change=${() => this._say(facts.epoch)} @click=${() => this._say(facts.epoch)} />
          <span><strong class="number">${t("run.epochTitle", { epoch: facts.epoch })}</strong>${facts.isBest ? html` <span class="best">${t("run.best")}</span>` : nothing}</span>
        </label>
        <div class="cells" role="group" aria-label=${t("run.cells", { epoch: facts.epoch })}>${facts.cells.map((cell) => this._renderCell(cell))}</div>
        <div class="facts">
          <code class="break">${facts.file}</code>
          <span class="subdued fine number">${this._measures(facts)}</span>
        </div>
        ${facts.gridHref ? html`<a class="button small" href=${facts.gridHref} data-test="open-grid-epoch">${t("run.openGrid")}</a>` : html`<span class="subdued fine">${t("run.gridWaits")}</span>`}
      </div>
      <slot></slot>`;
  }

  private _renderCell({ weight, url }: EpochFacts["cells"][number]): TemplateResult {
    const label = t("run.weight", { weight: formatWeight(weight) });
    return html`<figure>
      ${url ? html`<img src=${url} alt=${label} loading="lazy" />` : html`<span class="empty"></span>`}
      <figcaption class="number">${formatWeight(weight)}</figcaption>
    </figure>`;
  }

  private _measures({ bytes, heldOut, drift }: EpochFacts): string {
    const words = [formatBytes(bytes)];
    if (heldOut !== null) words.push(t("run.heldOut", { change: formatChange(heldOut) }));
    if (drift !== null) words.push(t("run.drift", { drift: formatSmall(drift) }));
    return words.join(" · ");
  }

  private _say(detail: number): void {
    if (!this.selected) this.dispatchEvent(new CustomEvent("epoch-select", { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-epoch-row": TlEpochRow;
  }
}
