import { css, html, LitElement, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/**
 * The trainer's log, folded.
 *
 * @fires log-open - It was unfolded, or should be read anew.
 */
@customElement("tl-log")
export class TlLog extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      summary {
        min-height: 44px;
        padding: 10px 0;
        font-weight: 600;
        cursor: pointer;
      }
      pre {
        max-height: 50vh;
        overflow: auto;
        margin: 8px 0 0;
        padding: 12px;
        border: 1px solid var(--tl-border);
        border-radius: var(--tl-radius);
        background: var(--tl-surface);
        font: 12.5px/1.5 var(--tl-mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
    `,
  ];

  /** null before it was read. */
  @property({ attribute: false }) content: string | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`<details @toggle=${this._onToggle}>
      <summary>${t("log.title")}</summary>
      <button class="small" @click=${this._ask}>${t("log.again")}</button>
      <pre tabindex="0" aria-label=${t("log.title")}>${this.content === null ? t("log.reading") : this.content || t("log.empty")}</pre>
    </details>`;
  }

  private _onToggle(event: Event & { currentTarget: HTMLDetailsElement }): void {
    if (event.currentTarget.open) this._ask();
  }

  private _ask(): void {
    this.dispatchEvent(new CustomEvent("log-open"));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-log": TlLog;
  }
}
