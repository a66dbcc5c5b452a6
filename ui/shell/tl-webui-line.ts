import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { HostState } from "../../protocol/host.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import { lendGpu } from "../data/drawing.js";
import type { Session } from "../data/session.js";
import { type GpuState, gpuState, loadedCheckpoint } from "../data/webui-state.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/** Whether the WebUI is there, what it has loaded, and who has the GPU. */
@customElement("tl-webui-line")
export class TlWebuiLine extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 var(--tl-gap-large);
        min-width: 0;
      }
      .checkpoint {
        display: inline-block;
        max-width: 28ch;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        vertical-align: bottom;
      }
      .gpu {
        display: inline-flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px var(--tl-gap);
        color: var(--tl-text);
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) host: HostState | null = null;
  @property({ type: Boolean }) disabled = false;
  private readonly _action = new ActionController(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { host } = this;
    if (!host) return html``;
    const loaded = loadedCheckpoint(host);
    return html`
      ${this._renderGpu(gpuState(host))}
      <span data-test="webui" data-connected=${host.connected}>
        ${host.connected ? t("webui.connected") : html`<span class="warning">${t("webui.lost")}</span>`}${
          loaded === null
            ? nothing
            : html` · <span class="checkpoint" title=${t("webui.loaded", { name: loaded })} data-test="loaded">${loaded}</span>`
        }
      </span>
    `;
  }

  private _renderGpu(gpu: GpuState): TemplateResult | typeof nothing {
    if (gpu.kind === "free") return nothing;
    if (gpu.kind !== "held")
      return html`<span class="gpu" role="status" data-test="gpu" data-gpu=${gpu.kind}>${t(`gpu.${gpu.kind}`)}</span>`;
    const words = gpu.tasks > 0 ? t("gpu.heldTasks", { n: gpu.tasks }) : t("gpu.held");
    return html`<span class="gpu" role="status" data-test="gpu" data-gpu="held">${words}
      <button class="small" ?disabled=${this.disabled || this._action.running} title=${t("gpu.lendHelp")} data-test="lend-gpu" @click=${() => this._onLend(gpu.job)}>${this._action.running ? t("gpu.lending") : t("gpu.lend")}</button>
      ${this._action.failure ? html`<span class="danger" data-test="lend-failure">${this._action.failure.message}</span>` : nothing}
    </span>`;
  }

  private _onLend(job: string): Promise<void> {
    return this._action.run("lend", () => lendGpu(this.session, job)).then(() => undefined);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-webui-line": TlWebuiLine;
  }
}
