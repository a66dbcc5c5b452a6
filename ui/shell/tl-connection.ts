import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { customElement } from "../components/custom-element.js";
import { icon } from "../components/icon.js";
import type { ConnectionStatus } from "../data/connection.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/**
 * Says what is wrong with the connection, and nothing while all is well.
 *
 * @fires connection-retry - The person does not want to wait for the next attempt.
 */
@customElement("tl-connection")
export class TlConnection extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--tl-gap) var(--tl-gap-large);
        padding: var(--tl-gap) clamp(12px, 2vw, 32px);
        border-bottom: 1px solid var(--tl-border);
        background: var(--tl-tint);
      }
    `,
  ];

  @property({ attribute: false }) status: ConnectionStatus = "connecting";
  @property({ attribute: false }) retryAt: number | null = null;
  @state() private _now = Date.now();
  private _clock: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    new LocaleController(this);
  }

  // The clock goes only while there is something to count down.
  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("retryAt")) return;
    clearInterval(this._clock);
    this._now = Date.now();
    if (this.retryAt !== null) this._clock = setInterval(() => (this._now = Date.now()), 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this._clock);
  }

  override render(): TemplateResult {
    return html`<div role="status">${this.status === "connected" ? nothing : html`<div class="bar">${this._renderWords()}</div>`}</div>`;
  }

  private _renderWords(): TemplateResult {
    switch (this.status) {
      case "connecting":
      case "connected":
        return html`<span class="subdued">${t("connection.connecting")}</span>`;
      case "lost":
      case "restarting":
      case "serverAway":
      case "noSockets": {
        const seconds = Math.max(0, Math.ceil(((this.retryAt ?? 0) - this._now) / 1000));
        return html`<span class="warning">${icon("warning")}</span><span>${t(`connection.${this.status}`)} <span class="subdued number">${t("connection.next", { n: seconds })}</span></span>
          <button class="small" @click=${this._onRetry}>${t("connection.retry")}</button>`;
      }
      case "unauthorized":
        return html`<span class="warning">${icon("warning")}</span><span>${t("connection.unauthorized")}</span>
          <button class="small" @click=${this._onRetry}>${t("connection.retry")}</button>`;
      case "loggedOut":
        // Without its hash the address is loaded anew, and the WebUI asks for a login if it wants one.
        return html`<span class="warning">${icon("warning")}</span><span>${t("connection.loggedOut")}</span>
          <a class="button small" href=${`${location.pathname}${location.search}`} data-test="log-in">${t("connection.logIn")}</a>`;
      case "outdated":
        return html`<span class="warning">${icon("warning")}</span><span>${t("connection.outdated")}</span>
          <button class="small" @click=${() => location.reload()}>${t("connection.reload")}</button>`;
      default: {
        const unknownStatus: never = this.status;
        return unknownStatus;
      }
    }
  }

  private _onRetry(): void {
    this.dispatchEvent(new CustomEvent("connection-retry"));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-connection": TlConnection;
  }
}
