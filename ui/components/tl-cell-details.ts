import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { copyText } from "./copy-text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";
import "./tl-wipe.js";

export type CellFacts = {
  name: string;
  /** null while the cell is to come. */
  url: string | null;
  /** The pinned cell to compare with; null when it is the same one or not drawn. */
  pinned: { name: string; url: string } | null;
  isStarred: boolean;
  isPinned: boolean;
  /** Label and value, in the order of an infotext. */
  rows: { label: string; value: string; warn?: boolean }[];
  /** The same as one text, as the WebUI writes it into pictures. */
  infotext: string;
  /** True when the WebUI itself wrote the infotext, so that it is shown word for word. */
  isInfotextTrue: boolean;
};

/**
 * One cell large, compared with the pinned one on request, and how it was drawn.
 *
 * @slot - Actions on the cell.
 * @fires details-act - `detail` is "star", "pin", "compare", "blink" or "close".
 */
@customElement("tl-cell-details")
export class TlCellDetails extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      .panel {
        display: grid;
        gap: var(--tl-gap);
        padding: var(--tl-gap);
      }
      .shown {
        display: block;
        width: 100%;
        aspect-ratio: var(--ratio, 1);
        object-fit: contain;
        border-radius: var(--tl-radius-small);
      }
      .empty {
        display: grid;
        place-items: center;
        border: 1px dashed var(--tl-border);
        color: var(--tl-subdued);
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 2px var(--tl-gap-large);
        font-size: var(--tl-text-small);
      }
      dt {
        color: var(--tl-subdued);
      }
      pre {
        margin: 0;
        max-height: 16em;
        overflow: auto;
        white-space: pre-wrap;
        font-family: var(--tl-mono);
      }
      kbd {
        font: 11px var(--tl-mono);
        color: var(--tl-subdued);
      }
      [aria-pressed="true"] {
        border-color: var(--tl-accent);
        background: var(--tl-accent-tint);
      }
    `,
  ];

  @property({ attribute: false }) facts: CellFacts | null = null;
  @property({ type: Boolean }) comparing = false;
  @property({ type: Boolean }) blinking = false;
  /** The no-LoRA picture, shown in turn while blinking. */
  @property({ attribute: false }) blinkUrl: string | null = null;
  @state() private _copied = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { facts } = this;
    if (!facts) return html``;
    return html`<aside class="panel" aria-label=${t("grid.details")} data-test="cell-details">
      <div class="row">
        <h2 class="grow number">${facts.name}</h2>
        <button class="icon small" aria-label=${t("view.close")} title=${t("view.close")} @click=${() => this._act("close")}>${icon("close")}</button>
      </div>
      ${this._renderPicture(facts)}
      <div class="row">
        ${this._renderToggle("star", facts.isStarred, "S")} ${this._renderToggle("pin", facts.isPinned, "P")}
        ${facts.pinned ? this._renderToggle("compare", this.comparing, "C") : nothing} ${this._renderToggle("blink", this.blinking, "B")}
      </div>
      <dl>${facts.rows.map(({ label, value, warn }) => html`<dt>${label}</dt><dd class="break ${warn ? "warning" : ""}">${value}</dd>`)}</dl>
      ${facts.isInfotextTrue ? html`<pre class="break fine" tabindex="0" data-test="infotext">${facts.infotext}</pre>` : nothing}
      <div class="row" ?hidden=${facts.infotext === ""}><button class="small" data-test="copy-infotext" @click=${this._onCopy}>${this._copied === facts.infotext ? t("failure.copied") : t("grid.copyInfotext")}</button></div>
      <slot></slot>
    </aside>`;
  }

  private _renderPicture({ url, pinned, name }: CellFacts): TemplateResult {
    if (!url) return html`<div class="shown empty">${t("grid.toCome")}</div>`;
    if (this.comparing && pinned)
      return html`<tl-wipe .first=${pinned.url} .second=${url} .firstName=${pinned.name} .secondName=${name}></tl-wipe>`;
    return html`<img class="shown" src=${this.blinkUrl ?? url} alt=${name} />`;
  }

  private _renderToggle(act: "star" | "pin" | "compare" | "blink", isOn: boolean, key: string): TemplateResult {
    return html`<button class="small" aria-pressed=${isOn} title=${t(`grid.${act}Help`)} @click=${() => this._act(act)}>${t(`grid.${act}`)} <kbd>${key}</kbd></button>`;
  }

  private async _onCopy(): Promise<void> {
    const infotext = this.facts?.infotext ?? "";
    this._copied = (await copyText(infotext, this)) ? infotext : "";
  }

  private _act(detail: string): void {
    this.dispatchEvent(new CustomEvent("details-act", { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-cell-details": TlCellDetails;
  }
}
