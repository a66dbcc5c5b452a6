import { html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import type { SettingKey } from "../data/plan-draft.js";
import { settingError } from "../data/plan-draft.js";
import type { SettingField } from "../data/setting-field.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";
import { settingStyles } from "./tl-setting.styles.js";

export type SettingChange = { key: SettingKey; value: unknown };

/**
 * One setting with its help. It shows what holds: the person's value, or else what the plan computed.
 *
 * @fires setting-change - `detail` is a SettingChange; a value of undefined goes back to the default.
 */
@customElement("tl-setting")
export class TlSetting extends LitElement {
  static override styles = [text, controls, settingStyles];

  @property({ attribute: false }) field: SettingField | null = null;
  /** What holds now. */
  @property({ attribute: false }) value: unknown = null;
  /** True when the person has set it. */
  @property({ type: Boolean }) chosen = false;
  @state() private _error = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { field } = this;
    if (!field) return html``;
    return html`
      <div class="head">
        <label for="input">${t(`setting.${field.key}`)}</label>
        ${this.chosen ? html`<button class="small quiet" title=${t("settings.resetHelp")} @click=${() => this._say(undefined)}>${icon("undo")}${t("settings.reset")}</button>` : nothing}
      </div>
      ${this._renderInput(field)}
      <div id="error" class="danger fine" role="alert">${this._error}</div>
      <div id="help" class="subdued fine">${t(`help.${field.key}`)}${field.kohya ? html` <code>${field.kohya}</code>` : nothing}</div>
    `;
  }

  private _renderInput(field: SettingField): TemplateResult {
    switch (field.kind) {
      case "number":
        return html`<input id="input" type="number" inputmode="decimal" .min=${String(field.min)} .max=${String(field.max ?? "")} .step=${String(field.step)} .value=${live(String(this.value ?? ""))} aria-invalid=${this._error !== ""} aria-describedby="help error" data-setting=${field.key} @change=${this._onNumber} @keydown=${stop} />`;
      case "text":
        return html`<input id="input" spellcheck="false" autocomplete="off" .value=${live(String(this.value ?? ""))} aria-invalid=${this._error !== ""} aria-describedby="help error" data-setting=${field.key} @change=${this._onText} />`;
      case "words":
        return html`<input id="input" spellcheck="false" autocomplete="off" .value=${live(Array.isArray(this.value) ? this.value.join(" ") : "")} aria-invalid=${this._error !== ""} aria-describedby="help error" data-setting=${field.key} @change=${this._onWords} @keydown=${stop} />`;
      case "switch":
        return html`<label class="switch"><input id="input" type="checkbox" .checked=${live(this.value === true)} aria-describedby="help" data-setting=${field.key} @change=${this._onSwitch} />${this.value === true ? t("settings.on") : t("settings.off")}</label>`;
      case "choice":
        return html`<select id="input" aria-describedby="help" data-setting=${field.key} @change=${(event: Event & { currentTarget: HTMLSelectElement }) => this._change(field.options[event.currentTarget.selectedIndex])}>
          ${field.options.map((option) => html`<option ?selected=${option === this.value}>${option}</option>`)}
        </select>`;
      case "size":
        return this._renderSize(field);
      default: {
        const unknownField: never = field;
        return unknownField;
      }
    }
  }

  private _renderSize(field: SettingField): TemplateResult {
    const { width, height } = sizeOf(this.value);
    const change = (side: "width" | "height") => (event: Event & { currentTarget: HTMLInputElement }) =>
      this._change({ width, height, [side]: event.currentTarget.valueAsNumber });
    return html`<div class="pair" role="group" aria-labelledby="input">
      <input id="input" type="number" min="64" max="4096" step="64" .value=${live(String(width || ""))} aria-label=${t("settings.width")} data-setting=${field.key} @change=${change("width")} />
      <span aria-hidden="true">×</span>
      <input type="number" min="64" max="4096" step="64" .value=${live(String(height || ""))} aria-label=${t("settings.height")} @change=${change("height")} />
    </div>`;
  }

  private _onNumber(event: Event & { currentTarget: HTMLInputElement }): void {
    this._change(event.currentTarget.value === "" ? undefined : event.currentTarget.valueAsNumber);
  }

  private _onText(event: Event & { currentTarget: HTMLInputElement }): void {
    this._change(event.currentTarget.value.trim() || undefined);
  }

  private _onWords(event: Event & { currentTarget: HTMLInputElement }): void {
    const words = event.currentTarget.value.split(/\s+/).filter(Boolean);
    this._change(words.length > 0 ? words : undefined);
  }

  private _onSwitch(event: Event & { currentTarget: HTMLInputElement }): void {
    this._change(event.currentTarget.checked);
  }

  private _change(value: unknown): void {
    const problem = value === undefined || !this.field ? null : settingError(this.field.key, value);
    this._error = problem === null ? "" : t("settings.invalid", { problem });
    if (problem === null) this._say(value);
  }

  private _say(value: unknown): void {
    if (!this.field) return;
    this._error = "";
    this.dispatchEvent(new CustomEvent<SettingChange>("setting-change", { detail: { key: this.field.key, value } }));
  }
}

function stop(event: KeyboardEvent): void {
  event.stopPropagation();
}

function sizeOf(value: unknown): { width: number; height: number } {
  const pair = typeof value === "object" && value !== null ? value : {};
  const side = (name: "width" | "height") => Number(name in pair ? Reflect.get(pair, name) : 0);
  return { width: side("width"), height: side("height") };
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-setting": TlSetting;
  }
}
