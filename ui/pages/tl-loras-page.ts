import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { repeat } from "lit/directives/repeat.js";
import type { LoraTool, LoraToolResult } from "../../protocol/lora-tools.js";
import type { LoraFile } from "../../protocol/messages.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-failure.js";
import "../components/tl-lora-facts.js";
import "../components/tl-lora-tools.js";
import { hidesFolders, mayChange } from "../data/access.js";
import { runLoraTool } from "../data/lora-tools.js";
import { inspectLora, type LoraFacts } from "../data/loras.js";
import { routeHash, runRoute } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { formatBytes, formatTime } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/** Every LoRA file of the LoRA folder, and what it says of itself. */
@customElement("tl-loras-page")
export class TlLorasPage extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--tl-gap-large);
        max-width: 1400px;
        margin-inline: auto;
      }
      .halves {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        gap: var(--tl-gap-huge);
        align-items: start;
      }
      .line {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 var(--tl-gap-large);
        padding: 8px 10px;
        border-bottom: 1px solid var(--tl-border);
        color: inherit;
        text-decoration: none;
      }
      .line:hover {
        background: var(--tl-tint);
      }
      .line[aria-current] {
        background: var(--tl-accent-tint);
      }
      .facts {
        position: sticky;
        top: 16px;
      }
      .facts h2 {
        margin-bottom: var(--tl-gap);
      }
      @media (max-width: 860px) {
        .halves {
          grid-template-columns: minmax(0, 1fr);
        }
        .facts {
          order: -1;
          position: static;
        }
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) file: string | null = null;
  @state() private _facts: LoraFacts | null = null;
  @state() private _result: LoraToolResult | null = null;
  private readonly _action = new ActionController(this);
  private readonly _tool = new ActionController(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("file")) void this._inspect(this.file);
  }

  override render(): TemplateResult {
    const loras = [...(this.state.snapshot?.loras ?? [])].sort((a, b) => b.modifiedAt - a.modifiedAt || b.file.localeCompare(a.file));
    return html`<h1>${t("nav.loras")}</h1>
      ${hidesFolders(this.state) ? nothing : html`<p class="subdued">${t("loras.where")} <code class="break">${this.state.snapshot?.loraDir}</code></p>`}
      ${loras.length === 0 ? html`<p>${t("loras.empty")}</p>` : nothing}
      <div class="halves">
        <ul>${repeat(
          loras,
          (lora) => lora.file,
          (lora) => this._renderLora(lora),
        )}</ul>
        ${this.file === null ? nothing : this._renderFacts(this.file)}
      </div>`;
  }

  private _renderLora(lora: LoraFile): TemplateResult {
    return html`<li><a class="line" href=${routeHash({ page: "loras", file: lora.file })} aria-current=${ifDefined(lora.file === this.file ? "true" : undefined)} data-test="lora">
      <strong class="break">${lora.file}</strong><span class="number">${formatBytes(lora.bytes)}</span>
      <span class="subdued fine">${formatTime(lora.modifiedAt)}</span>
      <span class="subdued fine number">${lora.epoch === null ? "" : t("run.epochTitle", { epoch: lora.epoch })}</span>
    </a></li>`;
  }

  private _renderFacts(file: string): TemplateResult {
    const job = this.state.snapshot?.loras.find((lora) => lora.file === file)?.job ?? null;
    return html`<section class="panel facts" aria-label=${t("loras.facts")} data-test="lora-facts">
      <h2 class="break">${file}</h2>
      ${this._action.running ? html`<p class="subdued" role="status">${t("loras.reading")}</p>` : nothing}
      <tl-failure .failure=${this._action.failure}></tl-failure>
      <tl-lora-facts .facts=${this._facts}></tl-lora-facts>
      ${this._renderTools(file)}
      ${job === null ? nothing : html`<p style="margin-top: 12px"><a href=${routeHash(runRoute(job))}>${t("loras.run")}</a></p>`}
    </section>`;
  }

  private _renderTools(file: string): TemplateResult {
    const others = (this.state.snapshot?.loras ?? []).map((lora) => lora.file).filter((other) => other !== file);
    return html`<tl-lora-tools style="display: block; margin-top: 16px" .file=${file} .others=${others} .result=${this._result} ?running=${this._tool.running} ?writes=${mayChange(this.state)} @lora-tool=${(event: CustomEvent<LoraTool>) => void this._runTool(event.detail)}></tl-lora-tools>
      <tl-failure .failure=${this._tool.failure}></tl-failure>`;
  }

  private async _runTool(request: LoraTool): Promise<void> {
    this._result = null;
    const base = this._facts?.recipe.baseModel?.replace(/\.[^.]+$/, "");
    const isThere = this.state.snapshot?.baseModels.some(({ name }) => name === base) === true;
    // Another base model than the ordinary one has layers of its own.
    const asked = request.tool === "verify" && base !== undefined && isThere ? { ...request, base } : request;
    const result = await this._tool.run(request.tool, () => runLoraTool(this.session, asked));
    if (result) this._result = result;
  }

  private async _inspect(file: string | null): Promise<void> {
    this._facts = null;
    this._result = null;
    if (file === null) return;
    const facts = await this._action.run("inspect", () => inspectLora(this.session, file));
    if (facts && file === this.file) this._facts = facts;
    // Another file may have been chosen while this one was read.
    else if (file !== this.file) void this._inspect(this.file);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-loras-page": TlLorasPage;
  }
}
