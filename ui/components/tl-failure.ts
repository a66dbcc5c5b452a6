import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { Failure } from "../../protocol/errors.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { copyText } from "./copy-text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";

/**
 * What happened, what to do, and the details to copy.
 *
 * @slot - Actions that help out of it.
 */
@customElement("tl-failure")
export class TlFailure extends LitElement {
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
        border-inline-start: 4px solid var(--tl-danger);
        display: grid;
        gap: var(--tl-gap);
      }
      h2 {
        font-size: var(--tl-text-medium);
        display: flex;
        align-items: center;
        gap: 8px;
      }
      p {
        max-width: 80ch;
      }
      pre {
        margin: 0;
        max-height: 14em;
        overflow: auto;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        font-family: var(--tl-mono);
        font-size: var(--tl-text-small);
      }
    `,
  ];

  @property({ attribute: false }) failure: Failure | null = null;
  @state() private _copied = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  // An empty element must not take a place in its parent's grid.
  protected override updated(): void {
    this.hidden = this.failure === null;
  }

  override render(): TemplateResult {
    const { failure } = this;
    if (!failure) return html``;
    return html`<div class="panel" role="alert" data-test="failure" data-code=${failure.code}>
      <h2><span class="danger">${icon("warning")}</span>${t(`error.${failure.code}`)}</h2>
      <p class="break">${failure.message}</p>
      <p class="subdued">${t(`remedy.${failure.code}`)}</p>
      ${
        failure.details
          ? html`<details><summary>${t("failure.details")}</summary><pre tabindex="0">${failure.details}</pre></details>`
          : nothing
      }
      <div class="row">
        <slot></slot>
        <button class="small" @click=${this._onCopy}>${this._copied ? t("failure.copied") : t("failure.copy")}</button>
      </div>
    </div>`;
  }

  private async _onCopy(): Promise<void> {
    const { failure } = this;
    if (!failure) return;
    this._copied = await copyText([`${failure.code}: ${failure.message}`, failure.details ?? ""].join("\n").trim(), this);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-failure": TlFailure;
  }
}
