import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-tasks.js";
import { mayChange } from "../data/access.js";
import { hideAddress, isOwn, keepAddress, ownHash, showAddress } from "../data/address.js";
import { loadScan } from "../data/datasets.js";
import { railPlace } from "../data/rail.js";
import { parseRoute, type Route } from "../data/route.js";
import { type Scheme, schemeOf, watchScheme } from "../data/scheme.js";
import { baseOf } from "../data/session.js";
import { joinSession, type Membership } from "../data/shared-session.js";
import type { AppState } from "../data/store.js";
import { webuiPage } from "../data/webui.js";
import { LocaleController, language } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { tokens } from "../styles/tokens.js";
import { keepToItself } from "./keep-to-itself.js";
import { renderPage } from "./render-page.js";
import { SightController } from "./sight-controller.js";
import "./tl-access.js";
import "./tl-connection.js";
import "./tl-rail.js";
import "./tl-top-bar.js";
import { appStyles } from "./train-lora-app.styles.js";

/**
 * The whole app in one element with an open shadow root. Nothing of it lies outside, so that it can live inside the WebUI's page;
 * while its tab is hidden it renders nothing and only the store goes on.
 *
 * @attr base - Put before every path of the server, such as `/train-lora`; without it the page's own folder is taken.
 */
@customElement("train-lora-app")
export class TrainLoraApp extends LitElement {
  static override styles = [tokens, text, controls, appStyles];

  @property() base: string | null = null;
  @state() private _route: Route = parseRoute(ownHash());
  @state() private _state: AppState | null = null;
  @property({ reflect: true }) scheme: Scheme = "light";
  private _membership: Membership | null = null;
  private readonly _undo: (() => void)[] = [];
  private readonly _sight = new SightController(this, { show: () => this._onShown(), draw: () => this._take(), hide: hideAddress });

  constructor() {
    super();
    new LocaleController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const membership = joinSession(this.base ?? baseOf(new URL(location.href)));
    this._membership = membership;
    showAddress();
    this._take();
    this._undo.push(
      membership.leave,
      membership.session.store.subscribe(() => this._sight.draw()),
      watchScheme(this._onScheme),
      keepToItself(this),
    );
    window.addEventListener("hashchange", this._onHash);
    this.addEventListener("scheme-change", this._onScheme);
    this._onScheme();
    void membership.ready.then(this._onHash);
    if (webuiPage()) void this._showToasts();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this._onHash);
    this.removeEventListener("scheme-change", this._onScheme);
    for (const undo of this._undo.splice(0)) undo();
  }

  protected override updated(changed: PropertyValues): void {
    this.lang = language();
    this._scanForRail();
    if (changed.has("_route") && changed.get("_route") !== undefined) this._focusPage(changed.get("_route"));
  }

  override render(): TemplateResult {
    const { _membership: membership, _state: state, _route: route } = this;
    if (!membership || !state) return html``;
    const { session } = membership;
    return html`
      <tl-top-bar role="banner" .session=${session} .state=${state} .page=${route.page}></tl-top-bar>
      <tl-connection .status=${state.status} .retryAt=${this._sight.isShown ? state.retryAt : null} @connection-retry=${() => session.connection.open()}></tl-connection>
      ${
        state.snapshot
          ? html`<tl-access .access=${state.snapshot.access}></tl-access><tl-rail .state=${state} .route=${route}></tl-rail>
        <tl-tasks .session=${session} .tasks=${state.snapshot.tasks} ?disabled=${!mayChange(state)}></tl-tasks>`
          : nothing
      }
      <main tabindex="-1">${state.snapshot ? renderPage(route, session, state) : nothing}</main>
    `;
  }

  // The rail of a run's page tells of the pictures and tags too, so it needs the scan that no page there asks for.
  private _scanForRail(): void {
    const place = railPlace(this._route, this._state?.snapshot ?? null);
    if (!place || !this._membership || this._state?.status !== "connected" || this._state.scans[place.dataset]) return;
    void loadScan(this._membership.session, place.dataset);
  }

  private _take(): void {
    this._state = this._membership?.session.store.get() ?? null;
  }

  private _onShown(): void {
    showAddress();
    this._onScheme();
    this._take();
  }

  private readonly _onHash = (): void => {
    if (!isOwn(location.hash)) return;
    keepAddress();
    // What the address names may have come with the same message that led here.
    this._take();
    this._route = parseRoute(location.hash);
  };

  private readonly _onScheme = (): void => {
    this.scheme = schemeOf(this);
  };

  // A run's news is told in every tab of the WebUI from now on, whether or not the WebUI's page has thought of it.
  private async _showToasts(): Promise<void> {
    await import("../toasts.js");
    if (!this.isConnected || document.querySelector("train-lora-toasts")) return;
    const toasts = document.createElement("train-lora-toasts");
    if (this.base !== null) toasts.setAttribute("base", this.base);
    document.body.append(toasts);
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
