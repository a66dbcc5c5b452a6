import { css, html, LitElement, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { GridSettings } from "../../protocol/settings.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/**
 * What is drawn after each epoch.
 *
 * @fires grid-change - `detail` holds only what was changed, so that prompts which the plan wrote stay the plan's.
 */
@customElement("tl-grid-settings")
export class TlGridSettings extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      h2 {
        font-size: var(--tl-text-medium);
      }
      section {
        margin-top: var(--tl-gap-large);
      }
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(220px, 100%), 1fr));
        gap: var(--tl-gap-large);
        margin-top: var(--tl-gap);
      }
      label {
        display: grid;
        align-content: start;
        gap: 4px;
      }
      .wide {
        grid-column: 1 / -1;
      }
    `,
  ];

  @property({ attribute: false }) settings: GridSettings = GridSettings.parse({});
  @state() private _error = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { weights, seeds, prompts, negativePrompt, sampler, steps, cfgScale } = this.settings;
    return html`<section aria-label=${t("group.grid")}>
      <h2>${t("group.grid")}</h2>
      <p class="danger fine" role="alert">${this._error}</p>
      <div class="fields">
        ${this._renderText("gridWeights", weights.join(", "), (value) => ({ weights: numbersIn(value) }))}
        ${this._renderText("gridSeeds", seeds.join(", "), (value) => ({ seeds: numbersIn(value) }))}
        ${this._renderText("gridSteps", String(steps), (value) => ({ steps: Number(value) }))}
        ${this._renderText("gridCfg", String(cfgScale), (value) => ({ cfgScale: Number(value) }))}
        <label><span>${t("setting.gridSampler")}</span>
          <select data-setting="gridSampler" @change=${(event: Event & { currentTarget: HTMLSelectElement }) => this._change({ sampler: event.currentTarget.value })}>
            ${GridSettings.shape.sampler.unwrap().options.map((option) => html`<option ?selected=${option === sampler}>${option}</option>`)}
          </select></label>
        <label class="wide"><span>${t("setting.gridPrompts")}</span>
          <textarea rows="4" spellcheck="false" data-setting="gridPrompts" .value=${live(prompts.join("\n"))} @change=${(event: Event & { currentTarget: HTMLTextAreaElement }) => this._change({ prompts: linesIn(event.currentTarget.value) })}></textarea>
          <span class="subdued fine">${t("help.gridPrompts")}</span></label>
        ${this._renderText("gridNegative", negativePrompt, (value) => ({ negativePrompt: value }))}
      </div>
    </section>`;
  }

  private _renderText(
    key: "gridWeights" | "gridSeeds" | "gridSteps" | "gridCfg" | "gridNegative",
    value: string,
    read: (text: string) => Record<string, unknown>,
  ): TemplateResult {
    return html`<label class=${key === "gridNegative" ? "wide" : ""}><span>${t(`setting.${key}`)}</span>
      <input spellcheck="false" autocomplete="off" data-setting=${key} .value=${live(value)} @change=${(event: Event & { currentTarget: HTMLInputElement }) => this._change(read(event.currentTarget.value))} />
      <span class="subdued fine">${t(`help.${key}`)}</span></label>`;
  }

  private _change(change: Record<string, unknown>): void {
    const parsed = GridSettings.safeParse({ ...this.settings, ...change });
    this._error = parsed.success ? "" : t("settings.invalid", { problem: parsed.error.issues[0]?.message ?? "" });
    if (parsed.success) this.dispatchEvent(new CustomEvent("grid-change", { detail: change }));
  }
}

function numbersIn(text: string): number[] {
  return text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
}

function linesIn(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-grid-settings": TlGridSettings;
  }
}
