import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { HostState } from "../../protocol/host.js";
import type { Job } from "../../protocol/job.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import { type Filled, fillTxt2img } from "../components/fill-txt2img.js";
import { icon } from "../components/icon.js";
import { verdictWords } from "../components/verdict-words.js";
import { mayChange } from "../data/access.js";
import { drawInWebui, pasteText } from "../data/drawing.js";
import type { News } from "../data/news.js";
import { gridRoute, routeHash, runRoute } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { webuiPage } from "../data/webui.js";
import { readinessFor } from "../data/webui-state.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/**
 * One piece of news, and what can be done about it without leaving the tab.
 *
 * @fires toast-dismiss - It has been read.
 */
@customElement("tl-toast")
export class TlToast extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: contents;
      }
      .words {
        align-self: center;
        min-width: 0;
      }
      .words p {
        max-height: 6em;
        overflow: auto;
      }
      .row {
        grid-column: 1 / -1;
      }
    `,
  ];

  @property({ attribute: false }) news: News | null = null;
  @property({ attribute: false }) session: Session | null = null;
  @property({ attribute: false }) state: AppState | null = emptyState;
  @state() private _filled: Filled | null = null;
  @state() private _asked: number | null = null;
  private readonly _action = new ActionController<"draw" | "paste">(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { news, state } = this;
    const job = state?.snapshot?.jobs.find((one) => one.id === news?.job);
    if (!news || !state || !job) return html``;
    return html`
      <div class="words"><strong class="break">${titleOf(news, job)}</strong>${this._renderSentence(news, job)}</div>
      <button class="icon small quiet" aria-label=${t("toast.dismiss")} title=${t("toast.dismiss")} data-test="toast-dismiss" @click=${this._onDismiss}>${icon("close")}</button>
      <div class="row">
        ${news.kind === "failed" ? nothing : this._renderWebuiActions(state, job, state.snapshot?.host ?? null)}
        <button class="small" data-test="toast-show" @click=${() => this._onShow(news, job)}>${t("toast.show")}</button>
      </div>
    `;
  }

  private _renderSentence(news: News, job: Job): TemplateResult | typeof nothing {
    const words =
      this._action.failure?.message ?? (this._filled ? t(`draw.${this._filled}`) : this._drawingWords(job)) ?? endWords(news, job);
    return words ? html`<p class="fine break ${this._action.failure ? "danger" : ""}">${words}</p>` : nothing;
  }

  private _drawingWords(job: Job): string | null {
    const drawing = job.webui?.drawing;
    if (this._asked === null) return null;
    if (drawing) return t("draw.progress", { done: drawing.done, total: drawing.total });
    if (job.webui?.failure) return job.webui.failure.message;
    return this._asked === 0 ? t("draw.nothing") : t("toast.drawn", { n: this._asked });
  }

  private _renderWebuiActions(state: AppState, job: Job, host: HostState | null): TemplateResult {
    const canDraw = readinessFor(host, "renderCells");
    const canPaste = readinessFor(host, "pasteText");
    return html`
      ${
        canDraw === "absent" || canDraw === "unable"
          ? nothing
          : html`<button class="small primary" ?disabled=${canDraw === "lost" || this._action.running || !mayChange(state) || job.webui?.drawing != null} title=${canDraw === "lost" ? t("draw.lost") : t("draw.nowHelp")} data-test="toast-draw" @click=${() => this._onDraw(job)}>${t("toast.draw")}</button>`
      }
      ${
        canPaste === "absent" || canPaste === "unable"
          ? nothing
          : html`<button class="small" ?disabled=${canPaste === "lost" || this._action.running} title=${canPaste === "lost" ? t("draw.lost") : t("draw.openHelp")} data-test="toast-open" @click=${() => this._onOpen(job)}>${t("draw.open")}</button>`
      }
    `;
  }

  private async _onDraw(job: Job): Promise<void> {
    const { session } = this;
    if (!session) return;
    this._asked = (await this._action.run("draw", () => drawInWebui(session, job))) ?? null;
  }

  private async _onOpen(job: Job): Promise<void> {
    const { session } = this;
    if (!session) return;
    this._filled = (await this._action.run("paste", async () => fillTxt2img(await pasteText(session, job.id), this))) ?? null;
  }

  // The address comes first: an app that is not mounted yet reads it when its tab opens.
  private _onShow(news: News, job: Job): void {
    const isGrid = news.kind === "finished" || this._asked !== null;
    const source = this._asked === null ? "preview" : "webui";
    location.hash = routeHash(isGrid ? gridRoute(job.id, { source }) : runRoute(job.id, news.kind === "saved" ? news.epoch : null));
    webuiPage()?.openTab();
  }

  private _onDismiss(): void {
    this.dispatchEvent(new CustomEvent("toast-dismiss"));
  }
}

function titleOf(news: News, job: Job): string {
  if (news.kind === "saved") return t("toast.saved", { epoch: news.epoch, epochs: job.epochs });
  return t(`toast.${news.kind}`, { name: job.name });
}

function endWords(news: News, job: Job): string | null {
  if (news.kind === "failed") return job.failure?.message ?? null;
  if (news.kind === "finished") return job.verdict ? verdictWords(job.verdict) : null;
  return job.name;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-toast": TlToast;
  }
}
