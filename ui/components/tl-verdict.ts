import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { Reason, Verdict } from "../../protocol/grid.js";
import type { Place } from "../data/grid-model.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { verdictWords } from "./verdict-words.js";

/**
 * Which epoch, up to which weight, and why.
 *
 * @fires verdict-point - `detail` is the places that a clause speaks of, while it is pointed at; empty afterwards.
 * @fires verdict-go - `detail` is the first place of a clause that was chosen.
 */
@customElement("tl-verdict")
export class TlVerdict extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: block;
      }
      :host([hidden]) {
        display: none;
      }
      .panel {
        display: grid;
        gap: 6px;
        border-inline-start: 4px solid var(--tl-good);
      }
      .sentence {
        font-size: var(--tl-text-large);
        line-height: 1.4;
        max-width: 110ch;
        text-wrap: pretty;
      }
      li {
        max-width: 100ch;
      }
      li button {
        display: inline;
        min-height: 0;
        padding: 2px 0;
        border: 0;
        background: none;
        color: inherit;
        font-weight: 400;
        text-align: start;
        white-space: normal;
        text-decoration: underline dotted;
        text-underline-offset: 3px;
      }
      li button:hover:not(:disabled) {
        background: none;
        color: var(--tl-link);
        text-decoration-style: solid;
      }
      @media (pointer: coarse) {
        li button {
          padding: 10px 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) verdict: Verdict | null = null;
  /** The sentence alone, where there are no cells to point at. */
  @property({ type: Boolean }) brief = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  // An empty element must not take a place in its parent's grid.
  protected override updated(): void {
    this.hidden = this.verdict === null;
  }

  override render(): TemplateResult {
    const { verdict } = this;
    if (!verdict) return html``;
    return html`<section class="panel" aria-label=${t("verdict.label")}>
      <p class="sentence" data-test="verdict" data-epoch-best=${verdict.epoch}>
        ${verdictWords(verdict)}
      </p>
      ${this.brief ? nothing : html`<ul class="fine" lang="en">${verdict.reasons.map((reason) => this._renderReason(reason))}</ul>`}
    </section>`;
  }

  private _renderReason({ text: words, cells }: Reason): TemplateResult {
    if (cells.length === 0) return html`<li class="subdued">${words}</li>`;
    const point = () => this._say("verdict-point", cells);
    const leave = () => this._say("verdict-point", []);
    return html`<li><button @mouseenter=${point} @mouseleave=${leave} @focus=${point} @blur=${leave} @click=${() => this._say("verdict-go", cells[0])}>${words}</button></li>`;
  }

  private _say(type: string, detail: Place[] | Place | undefined): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-verdict": TlVerdict;
  }
}
