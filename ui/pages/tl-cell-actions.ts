import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { HostState } from "../../protocol/host.js";
import type { Job } from "../../protocol/job.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import { fillTxt2img } from "../components/fill-txt2img.js";
import "../components/tl-failure.js";
import { type CellAddress, keepLora, pasteText } from "../data/drawing.js";
import type { GridSource } from "../data/route.js";
import type { Session } from "../data/session.js";
import { webuiPage } from "../data/webui.js";
import { readinessFor } from "../data/webui-state.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/** What the WebUI can do with one cell; nothing where there is no WebUI. */
@customElement("tl-cell-actions")
export class TlCellActions extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: 4px;
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) host: HostState | null = null;
  @property({ attribute: false }) job: Job | null = null;
  @property({ attribute: false }) cell: CellAddress | null = null;
  @property({ attribute: false }) source: GridSource = "preview";
  /** True when this page may only look. */
  @property({ type: Boolean }) locked = false;
  @state() private _message = "";
  private readonly _action = new ActionController<"paste" | "keep">(this);
  private _shown = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  // What was said of one cell must not stand beside another.
  protected override willUpdate(_changed: PropertyValues): void {
    const shown = `${this.job?.id} ${JSON.stringify(this.cell)}`;
    if (shown !== this._shown) this._message = "";
    this._shown = shown;
  }

  override render(): TemplateResult {
    const { host, job, cell } = this;
    if (!host || !job || !cell) return html``;
    const canPaste = readinessFor(host, "pasteText");
    const isSaved = job.saves.some((save) => save.epoch === cell.epoch);
    return html`
      <div class="row">
        ${
          canPaste === "unable"
            ? nothing
            : html`<button class="small" ?disabled=${canPaste !== "ready" || this._action.running} title=${canPaste === "ready" ? t("draw.sendHelp") : t("draw.lost")} data-test="send-txt2img" @click=${() => this._onSend(job, cell)}>${t("draw.send")}</button>`
        }
        ${
          isSaved
            ? html`<button class="small" ?disabled=${!host.connected || this.locked || this._action.running} title=${host.connected ? t("keep.help") : t("draw.lost")} data-test="keep-lora" @click=${() => this._onKeep(job, cell)}>${t("keep.button")}</button>`
            : nothing
        }
      </div>
      <span class="subdued fine break" role="status" data-test="cell-message">${this._message}</span>
      <tl-failure .failure=${this._action.failure}></tl-failure>
    `;
  }

  private async _onSend(job: Job, cell: CellAddress): Promise<void> {
    const filled = await this._action.run("paste", async () => fillTxt2img(await pasteText(this.session, job.id, cell, this.source), this));
    if (filled) this._message = t(`draw.${filled}`);
  }

  private async _onKeep(job: Job, cell: CellAddress): Promise<void> {
    const file = await this._action.run("keep", () => keepLora(this.session, job.id, cell));
    if (file === undefined) return;
    this._message = t("keep.done", { file });
    const lora = job.saves.find((save) => save.epoch === cell.epoch)?.file.replace(/\.safetensors$/, "");
    if (lora !== undefined) webuiPage()?.refreshCards([lora]);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-cell-actions": TlCellActions;
  }
}
