import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { type HostState, RenderSettings } from "../../protocol/host.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

type Input = Event & { currentTarget: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement };
type NumberKey = "steps" | "cfgScale" | "width" | "height" | "clipSkip";

/**
 * What the WebUI draws a grid with.
 *
 * @fires render-change - `detail` holds only what was changed.
 */
@customElement("tl-render-settings")
export class TlRenderSettings extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(130px, 100%), 1fr));
        gap: var(--tl-gap) var(--tl-gap-large);
      }
      label {
        display: grid;
        align-content: start;
        gap: 2px;
      }
      @media (min-width: 560px) {
        .choice {
          grid-column: span 2;
        }
      }
      .wide {
        grid-column: 1 / -1;
      }
    `,
  ];

  @property({ attribute: false }) settings: RenderSettings | null = null;
  @property({ attribute: false }) host: HostState | null = null;
  /** What no choice of a sampler or schedule means. */
  @property() standard = "";
  @property({ type: Boolean }) disabled = false;
  @state() private _error = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { settings, host } = this;
    if (!settings || !host) return html``;
    const titles = host.checkpoints.checkpoints.map((checkpoint) => checkpoint.title);
    return html`<div class="fields" @keydown=${(event: KeyboardEvent) => event.stopPropagation()}>
      ${this._renderChoice("checkpoint", titles, t("draw.loadedCheckpoint"))} ${this._renderChoice("sampler", host.facts.samplers, this.standard)}
      ${host.facts.schedulers.length > 0 ? this._renderChoice("scheduler", host.facts.schedulers, this.standard) : nothing}
      ${(["width", "height", "steps", "cfgScale", "clipSkip"] as const).map((key) => this._renderNumber(settings, key))}
      <label class="wide"><span>${t("draw.prompts")}</span>
        <textarea rows="3" spellcheck="false" ?disabled=${this.disabled} data-setting="draw-prompts" .value=${live(settings.prompts.join("\n"))} @change=${(event: Input) => this._change({ prompts: linesIn(event.currentTarget.value) })}></textarea></label>
      <label class="wide"><span>${t("draw.negativePrompt")}</span>
        <input spellcheck="false" autocomplete="off" ?disabled=${this.disabled} data-setting="draw-negativePrompt" .value=${live(settings.negativePrompt)} @change=${(event: Input) => this._change({ negativePrompt: event.currentTarget.value })} /></label>
    </div>
    <p class="danger fine" role="alert">${this._error}</p>`;
  }

  private _renderChoice(key: "checkpoint" | "sampler" | "scheduler", names: readonly string[], standard: string): TemplateResult {
    const chosen = this.settings?.[key] ?? null;
    // What was drawn with may be gone from the WebUI; it still has to be shown.
    const options = chosen === null || names.includes(chosen) ? names : [chosen, ...names];
    return html`<label class="choice"><span>${t(`draw.${key}`)}</span>
      <select ?disabled=${this.disabled} data-setting="draw-${key}" @change=${(event: Input) => this._change({ [key]: event.currentTarget.value || null })}>
        <option value="" ?selected=${chosen === null}>${standard}</option>
        ${options.map((name) => html`<option value=${name} ?selected=${name === chosen}>${name}</option>`)}
      </select></label>`;
  }

  private _renderNumber(settings: RenderSettings, key: NumberKey): TemplateResult {
    const step = { width: "8", height: "8", steps: "1", clipSkip: "1", cfgScale: "0.5" }[key];
    return html`<label><span>${t(`draw.${key}`)}</span>
      <input type="number" .step=${step} ?disabled=${this.disabled} data-setting="draw-${key}" .value=${live(String(settings[key]))} @change=${(event: Input) => this._change({ [key]: Number(event.currentTarget.value) })} /></label>`;
  }

  private _change(change: Partial<RenderSettings>): void {
    const parsed = RenderSettings.safeParse({ ...this.settings, ...change });
    this._error = parsed.success ? "" : t("draw.invalid", { problem: parsed.error.issues[0]?.message ?? "" });
    if (parsed.success) this.dispatchEvent(new CustomEvent<Partial<RenderSettings>>("render-change", { detail: change }));
  }
}

function linesIn(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-render-settings": TlRenderSettings;
  }
}
