import { css, html, LitElement, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { type Access, fullAccess } from "../../protocol/host.js";
import { customElement } from "../components/custom-element.js";
import { icon } from "../components/icon.js";
import { LocaleController, t } from "../locales/locale.js";
import { text } from "../styles/text.js";

/** Says that this page may only be looked at, why, and what to do about it; nothing while all may be done. */
@customElement("tl-access")
export class TlAccess extends LitElement {
  static override styles = [
    text,
    css`
      .bar {
        display: flex;
        gap: 4px var(--tl-gap);
        padding: var(--tl-gap) clamp(12px, 2vw, 32px);
        border-bottom: 1px solid var(--tl-border);
        background: var(--tl-tint);
      }
      svg {
        width: 16px;
        height: 16px;
        margin-top: 3px;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.8;
      }
      p {
        max-width: 110ch;
      }
    `,
  ];

  @property({ attribute: false }) access: Access = fullAccess;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    if (this.access.level === "full") return html``;
    return html`<div class="bar" role="note" data-test="restricted">
      <span class="warning">${icon("warning")}</span>
      <p><strong>${t("access.restricted")}</strong> ${t("access.openToOthers")}</p>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-access": TlAccess;
  }
}
