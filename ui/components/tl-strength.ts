import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { equivalentLearningRate } from "../data/plan-draft.js";
import { formatSmall } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** Says what a learning rate would be at alpha = dim, the form in which most recipes are told. */
@customElement("tl-strength")
export class TlStrength extends LitElement {
  static override styles = [
    text,
    css`
      p {
        color: var(--tl-subdued);
      }
    `,
  ];

  @property({ type: Number }) unetLr = 0;
  @property({ type: Number }) textEncoderLr = 0;
  @property({ type: Number }) alpha = 1;
  @property({ type: Number }) dim = 1;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const at = (rate: number) => formatSmall(equivalentLearningRate(rate, this.alpha, this.dim));
    return html`<p class="number" data-test="strength">
      ${t("strength.equals", { unet: at(this.unetLr), dim: this.dim })}${this.textEncoderLr > 0 ? t("strength.textEncoder", { rate: at(this.textEncoderLr) }) : nothing}
    </p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-strength": TlStrength;
  }
}
