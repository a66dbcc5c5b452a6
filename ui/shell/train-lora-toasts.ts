import { html, LitElement, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Job } from "../../protocol/job.js";
import { customElement } from "../components/custom-element.js";
import { freeCorner } from "../data/free-corner.js";
import { isAnyActive, type News, newLoras, newsBetween, withNews } from "../data/news.js";
import { type Scheme, schemeOf, watchScheme } from "../data/scheme.js";
import { baseOf } from "../data/session.js";
import { joinSession, type Membership, membersOf } from "../data/shared-session.js";
import { webuiPage } from "../data/webui.js";
import { LocaleController, language, t } from "../locales/locale.js";
import { text } from "../styles/text.js";
import { tokens } from "../styles/tokens.js";
import "./tl-toast.js";
import { toastsStyles } from "./train-lora-toasts.styles.js";

const MOST = 3;
/** An epoch's toast goes by itself; the end of a run waits for the person. */
const EPOCH_MS = 45_000;
/** What must never be covered, in whichever tab it is. */
const BUTTONS = '[id$="_generate"], [id$="_interrupt"], [id$="_skip"]';

/**
 * News of training in every tab of the WebUI. It shares the app's connection when that is there; else it has one of its own and goes by
 * itself when no run is active any more.
 *
 * @attr base - As for `<train-lora-app>`.
 */
@customElement("train-lora-toasts")
export class TrainLoraToasts extends LitElement {
  static override styles = [tokens, text, toastsStyles];

  @property() base: string | null = null;
  @property({ reflect: true }) scheme: Scheme = "light";
  @property({ reflect: true }) corner = "bottom-right";
  @state() private _news: readonly News[] = [];
  private _membership: Membership | null = null;
  private _jobs: readonly Job[] | null = null;
  private readonly _undo: (() => void)[] = [];

  constructor() {
    super();
    new LocaleController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // The WebUI's page and the app may both have thought of it.
    if (document.querySelector("train-lora-toasts") !== this) return;
    const membership = joinSession(this._base);
    this._membership = membership;
    this._undo.push(
      membership.leave,
      membership.session.store.subscribe(() => this._onState()),
      watchScheme(this._onScheme),
    );
    window.addEventListener("resize", this._place);
    window.addEventListener("scroll", this._place, { passive: true, capture: true });
    this._onScheme();
    this._onState();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("resize", this._place);
    window.removeEventListener("scroll", this._place, { capture: true });
    for (const undo of this._undo.splice(0)) undo();
    this._membership = null;
  }

  protected override updated(): void {
    this.lang = language();
    this._place();
  }

  override render(): TemplateResult {
    const state = this._membership?.session.store.get();
    return html`<div role="region" aria-label=${t("toast.label")}>
      <ul aria-live="polite">
        ${repeat(
          this._news,
          (news) => `${news.kind} ${news.job} ${news.epoch}`,
          (news) =>
            html`<li class=${news.kind} data-test="toast" data-kind=${news.kind}>
              <tl-toast .news=${news} .session=${this._membership?.session ?? null} .state=${state ?? null} @toast-dismiss=${() => this._dismiss(news)}></tl-toast>
            </li>`,
        )}
      </ul>
    </div>`;
  }

  private get _base(): string {
    return this.base ?? baseOf(new URL(location.href));
  }

  private _onState(): void {
    if (this._news.length > 0) this.requestUpdate();
    const jobs = this._membership?.session.store.get().snapshot?.jobs;
    if (!jobs || jobs === this._jobs) return;
    const before = this._jobs;
    this._jobs = jobs;
    if (before) this._tell(before, jobs);
    this._leaveWhenIdle();
  }

  private _tell(before: readonly Job[], jobs: readonly Job[]): void {
    const names = newLoras(before, jobs);
    if (names.length > 0) webuiPage()?.refreshCards(names);
    const news = newsBetween(before, jobs);
    if (news.length === 0) return;
    this._news = withNews(this._news, news, MOST);
    for (const one of this._news) if (news.includes(one) && one.kind === "saved") setTimeout(() => this._expire(one), EPOCH_MS);
  }

  // A toast that is being read or used stays.
  private _expire(news: News): void {
    if (this.matches(":hover, :focus-within")) setTimeout(() => this._expire(news), EPOCH_MS);
    else this._dismiss(news);
  }

  private _dismiss(news: News): void {
    this._news = this._news.filter((one) => one !== news);
    this._leaveWhenIdle();
  }

  // The app's connection costs nothing more; without it the WebUI's page brings us back when a run is active again.
  private _leaveWhenIdle(): void {
    if (this._news.length === 0 && membersOf(this._base) === 1 && this._jobs && !isAnyActive(this._jobs)) this.remove();
  }

  private readonly _place = (): void => {
    if (this._news.length === 0) return;
    const obstacles = [...document.querySelectorAll(BUTTONS)]
      .map((button) => button.getBoundingClientRect())
      .filter((box) => box.width > 0 && box.height > 0);
    const { width, height } = this.getBoundingClientRect();
    this.corner = freeCorner({ width, height }, { width: innerWidth, height: innerHeight }, obstacles);
  };

  private readonly _onScheme = (): void => {
    this.scheme = schemeOf(this);
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "train-lora-toasts": TrainLoraToasts;
  }
}
