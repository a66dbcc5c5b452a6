import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { HostState, RenderSettings } from "../../protocol/host.js";
import type { Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import { fillTxt2img } from "../components/fill-txt2img.js";
import "../components/tl-failure.js";
import "../components/tl-render-settings.js";
import { drawInWebui, drawingSettings, pasteText, setHostSettings, stopDrawing } from "../data/drawing.js";
import type { Session } from "../data/session.js";
import { readinessFor } from "../data/webui-state.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/**
 * What the WebUI can do for a run's grid: draw it, and show it as an X/Y/Z plot of its own.
 *
 * @fires drawing-start - The WebUI was asked to draw.
 */
@customElement("tl-webui-tools")
export class TlWebuiTools extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap);
      }
      .check {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        min-height: var(--tl-control);
      }
      .progress {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--tl-gap);
      }
      progress {
        flex: 1 1 160px;
        max-width: 420px;
      }
      .settings {
        max-width: 900px;
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) host: HostState | null = null;
  @property({ attribute: false }) job: Job | null = null;
  @property({ attribute: false }) plan: Plan | null = null;
  /** True when this page may only look. */
  @property({ type: Boolean }) locked = false;
  @state() private _changes: Partial<RenderSettings> = {};
  @state() private _isOpen = false;
  @state() private _message = "";
  private readonly _action = new ActionController<"draw" | "stop" | "paste" | "settings">(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("job") || changed.get("job")?.id === this.job?.id) return;
    this._changes = {};
    this._message = "";
  }

  override render(): TemplateResult {
    const { host, job } = this;
    if (!host || !job) return html``;
    const settings = host.facts.can.renderCells ? drawingSettings(job, this.plan) : null;
    return html`
      <div class="row">
        ${this._renderDraw(host, job)}
        ${settings ? html`<button class="small" aria-expanded=${this._isOpen} data-test="draw-settings" @click=${() => (this._isOpen = !this._isOpen)}>${t("draw.how")}</button>` : nothing}
        ${this._renderOpen(host, job)}
        <label class="check" title=${t("draw.afterEpochHelp")}><input type="checkbox" .checked=${host.settings.drawAfterEachEpoch} ?disabled=${this.locked || !host.connected} data-test="draw-after-epoch" @change=${this._onAfterEpoch} />${t("draw.afterEpoch")}</label>
        <span class="subdued fine" role="status" data-test="draw-message">${this._words(host)}</span>
      </div>
      ${settings && this._isOpen ? this._renderSettings(host, job, settings) : nothing} ${this._renderProgress(job)}
      <tl-failure .failure=${this._action.failure ?? (job.webui?.drawing ? null : (job.webui?.failure ?? null))}></tl-failure>
    `;
  }

  private _renderDraw(host: HostState, job: Job): TemplateResult | typeof nothing {
    const readiness = readinessFor(host, "renderCells");
    const isDisabled = readiness !== "ready" || this.locked || this._action.running || job.saves.length === 0 || job.webui?.drawing != null;
    const help = readiness === "lost" || readiness === "unable" ? t(`draw.${readiness}`) : t("draw.nowHelp");
    return html`<button class="small primary" ?disabled=${isDisabled} title=${help} data-test="draw-now" @click=${() => this._onDraw(job)}>${t("draw.now")}</button>`;
  }

  private _renderOpen(host: HostState, job: Job): TemplateResult | typeof nothing {
    const readiness = readinessFor(host, "pasteText");
    if (readiness === "unable") return nothing;
    const help = readiness === "lost" ? t("draw.lost") : t("draw.openHelp");
    return html`<button class="small" ?disabled=${readiness !== "ready" || this._action.running || job.saves.length === 0} title=${help} data-test="open-txt2img" @click=${() => this._onOpen(job)}>${t("draw.open")}</button>`;
  }

  private _renderSettings(host: HostState, job: Job, settings: RenderSettings): TemplateResult {
    const isOther = job.webui !== null && Object.keys(this._changes).length > 0;
    return html`<div class="settings">
      <tl-render-settings .settings=${{ ...settings, ...this._changes }} .host=${host} .standard=${t(job.webui ? "draw.asWebui" : "draw.asPlan")} ?disabled=${this.locked} @render-change=${this._onChange}></tl-render-settings>
      ${isOther ? html`<p class="warning fine">${t("draw.changed")}</p>` : nothing}
    </div>`;
  }

  private _renderProgress(job: Job): TemplateResult | typeof nothing {
    const drawing = job.webui?.drawing;
    if (!drawing) return nothing;
    const words = t("draw.progress", { done: drawing.done, total: drawing.total });
    return html`<div class="progress" data-test="draw-progress">
      <span class="number" role="status">${words}</span>
      <progress aria-label=${words} max=${Math.max(1, drawing.total)} .value=${drawing.done}></progress>
      <button class="small" ?disabled=${this.locked || this._action.running} data-test="draw-stop" @click=${() => this._action.run("stop", () => stopDrawing(this.session, job.id))}>${t("draw.stop")}</button>
    </div>`;
  }

  private _words(host: HostState): string {
    if (this._action.state.kind === "running" && this._action.state.what === "draw") return t("draw.asking");
    return host.connected ? this._message : t("draw.lost");
  }

  private async _onDraw(job: Job): Promise<void> {
    this._message = "";
    const cells = await this._action.run("draw", () => drawInWebui(this.session, job, this._changes));
    if (cells === undefined) return;
    this._changes = {};
    if (cells === 0) this._message = t("draw.nothing");
    this.dispatchEvent(new CustomEvent("drawing-start"));
  }

  private async _onOpen(job: Job): Promise<void> {
    const filled = await this._action.run("paste", async () => fillTxt2img(await pasteText(this.session, job.id), this));
    if (filled) this._message = t(`draw.${filled}`);
  }

  private async _onAfterEpoch(event: Event & { currentTarget: HTMLInputElement }): Promise<void> {
    const box = event.currentTarget;
    const settings = { drawAfterEachEpoch: box.checked };
    const kept = await this._action.run("settings", () => setHostSettings(this.session, settings));
    if (!kept) box.checked = !settings.drawAfterEachEpoch;
  }

  private _onChange(event: CustomEvent<Partial<RenderSettings>>): void {
    const changes = Object.entries({ ...this._changes, ...event.detail });
    // Before the first drawing an empty choice means the plan's, which the server knows.
    this._changes = Object.fromEntries(changes.filter(([, value]) => value !== null || this.job?.webui));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-webui-tools": TlWebuiTools;
  }
}
