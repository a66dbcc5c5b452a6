import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { Grade } from "../../protocol/sorting.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/**
 * How many pictures have which grade, and buttons that do what the keys 1, 2 and X do to the chosen ones.
 *
 * @fires grade - `detail` is "good", "weak" or "reject".
 */
@customElement("tl-grades")
export class TlGrades extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--tl-gap-small);
      }
      kbd {
        font: inherit;
        color: var(--tl-subdued);
      }
    `,
  ];

  @property({ attribute: false }) counts = { good: 0, weak: 0, other: 0 };
  /** Pictures rejected since the page was opened. */
  @property({ type: Number }) rejected = 0;
  @property({ type: Number }) chosen = 0;
  /** Steps that are on their way to the server. */
  @property({ type: Number }) waiting = 0;
  @property({ type: Boolean }) disabled = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { good, weak, other } = this.counts;
    return html`
      ${this._renderButton("good", "1", good)} ${this._renderButton("weak", "2", weak)} ${this._renderButton("reject", "X", this.rejected)}
      ${other > 0 ? html`<span class="subdued fine number">${t("grade.other", { n: other })}</span>` : nothing}
      ${this.chosen > 1 ? html`<span class="fine number" role="status" data-test="chosen">${t("grade.chosen", { n: this.chosen })}</span>` : nothing}
      ${this.waiting > 3 ? html`<span class="subdued fine number">${t("grade.waiting", { n: this.waiting })}</span>` : nothing}
    `;
  }

  private _renderButton(how: Grade | "reject", key: string, count: number): TemplateResult {
    return html`<button
      class="small"
      data-grade=${how}
      title=${t(`grade.${how}Help`)}
      ?disabled=${this.disabled || this.chosen === 0}
      @click=${() => this.dispatchEvent(new CustomEvent("grade", { detail: how }))}
    ><kbd>${key}</kbd> ${t(`grade.${how}`)} <strong class="number">${count}</strong></button>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-grades": TlGrades;
  }
}
