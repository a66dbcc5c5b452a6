import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { customElement } from "../components/custom-element.js";
import { loadScan } from "../data/datasets.js";
import { railPlace } from "../data/rail.js";
import { parseRoute, type Route } from "../data/route.js";
import { type Scheme, schemeOf, watchScheme } from "../data/scheme.js";
import { baseOf, createSession, exchangeCode, type Session } from "../data/session.js";
import type { AppState } from "../data/store.js";
import { LocaleController, language } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { tokens } from "../styles/tokens.js";
import { renderPage } from "./render-page.js";
import "./tl-connection.js";
import "./tl-rail.js";
import "./tl-top-bar.js";

/**
 * The whole app in one element with an open shadow root. Nothing of it lies outside, so that it can live inside the WebUI's page.
 *
 * @attr base - Put before every path of the server, such as `/train-lora`; without it the page's own folder is taken.
 */
@customElement("train-lora-app")
export class TrainLoraApp extends LitElement {
  static override styles = [
    tokens,
    text,
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        background: var(--tl-page);
        color: var(--tl-text);
        font-family: var(--tl-font);
        font-size: var(--tl-text-medium);
        line-height: 1.5;
        text-align: start;
      }
      main {
        flex: 1;
        padding: var(--tl-gap-large) clamp(12px, 2vw, 32px) 48px;
        outline: none;
      }
    `,
  ];

  @property() base: string | null = null;
  @state() private _route: Route = parseRoute(location.hash);
  @state() private _state: AppState | null = null;
  @property({ reflect: true }) scheme: Scheme = "light";
  private _session: Session | null = null;
  private readonly _undo: (() => void)[] = [];

  constructor() {
    super();
    new LocaleController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const session = createSession(this.base ?? baseOf(new URL(location.href)));
    this._session = session;
    this._state = session.store.get();
    this._undo.push(
      session.store.subscribe(() => {
        this._state = session.store.get();
      }),
      watchScheme(this._onScheme),
    );
    window.addEventListener("hashchange", this._onHash);
    this.addEventListener("keydown", this._onKeydown);
    this.addEventListener("scheme-change", this._onScheme);
    this._onScheme();
    void this._enter(session);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this._onHash);
    this.removeEventListener("keydown", this._onKeydown);
    this.removeEventListener("scheme-change", this._onScheme);
    for (const undo of this._undo.splice(0)) undo();
    this._session?.connection.close();
  }

  protected override updated(changed: PropertyValues): void {
    this.lang = language();
    this._scanForRail();
    if (changed.has("_route") && changed.get("_route") !== undefined) this._focusPage(changed.get("_route"));
  }

  override render(): TemplateResult {
    const { _session: session, _state: state, _route: route } = this;
    if (!session || !state) return html``;
    return html`
      <tl-top-bar role="banner" .state=${state} .page=${route.page}></tl-top-bar>
      <tl-connection .status=${state.status} .retryAt=${state.retryAt} @connection-retry=${() => session.connection.open()}></tl-connection>
      ${state.snapshot ? html`<tl-rail .state=${state} .route=${route}></tl-rail>` : nothing}
      <main tabindex="-1">${state.snapshot ? renderPage(route, session, state) : nothing}</main>
    `;
  }

  // The rail of a run's page tells of the pictures and tags too, so it needs the scan that no page there asks for.
  private _scanForRail(): void {
    const place = railPlace(this._route, this._state?.snapshot ?? null);
    if (!place || !this._session || this._state?.status !== "connected" || this._state.scans[place.dataset]) return;
    void loadScan(this._session, place.dataset);
  }

  private async _enter(session: Session): Promise<void> {
    await exchangeCode(session.base).catch(() => undefined); // the connection then says that there is no server
    this._onHash();
    if (this.isConnected && session === this._session) session.connection.open();
  }

  private readonly _onHash = (): void => {
    this._route = parseRoute(location.hash);
  };

  private readonly _onScheme = (): void => {
    this.scheme = schemeOf(this);
  };

  // The WebUI's own handler of these keys looks for the buttons of a generation tab and fails in ours.
  private _onKeydown(event: KeyboardEvent): void {
    if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.altKey))) event.stopPropagation();
  }

  private _focusPage(before: Route): void {
    if (before.page !== this._route.page) this.renderRoot.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "train-lora-app": TrainLoraApp;
  }
}
