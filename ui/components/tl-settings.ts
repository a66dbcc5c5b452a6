import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { Settings } from "../../protocol/settings.js";
import type { SettingsDraft } from "../data/plan-draft.js";
import type { SettingField } from "../data/setting-field.js";
import { mainSettings, settingFields, settingGroups } from "../data/setting-fields.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import type { SettingChange } from "./tl-setting.js";
import "./tl-setting.js";

/**
 * All settings that are not always in sight, folded, by group, with a search over names, help and kohya's options.
 *
 * @slot network - What stands below a group of settings, by the group's name.
 * @fires setting-change - As tl-setting's.
 */
@customElement("tl-settings")
export class TlSettings extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      details {
        border-top: 1px solid var(--tl-border);
      }
      summary {
        min-height: 44px;
        padding: 10px 0;
        font-weight: 600;
        cursor: pointer;
      }
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
    `,
  ];

  /** What holds, by key. */
  @property({ attribute: false }) values: Partial<Settings> = {};
  @property({ attribute: false }) draft: SettingsDraft = {};
  @state() private _search = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const fields = settingFields.filter((field) => !mainSettings.includes(field.key) && this._matches(field));
    return html`<details>
      <summary data-test="all-settings">${t("settings.all")}</summary>
      <input type="search" aria-label=${t("settings.search")} placeholder=${t("settings.search")} .value=${this._search} @input=${this._onSearch} @keydown=${(event: KeyboardEvent) => event.stopPropagation()} />
      ${fields.length === 0 ? html`<p class="subdued" role="status">${t("settings.noMatch")}</p>` : nothing}
      ${settingGroups.map((group) => this._renderGroup(group, fields))}
      <slot></slot>
    </details>`;
  }

  private _renderGroup(group: SettingField["group"], fields: readonly SettingField[]): TemplateResult | typeof nothing {
    const own = fields.filter((field) => field.group === group);
    if (own.length === 0) return nothing;
    return html`<section aria-label=${t(`group.${group}`)}>
      <h2>${t(`group.${group}`)}</h2>
      <div class="fields">
        ${own.map((field) => html`<tl-setting .field=${field} .value=${this.values[field.key]} ?chosen=${field.key in this.draft} @setting-change=${this._onChange}></tl-setting>`)}
      </div>
      <slot name=${group}></slot>
    </section>`;
  }

  private _matches(field: SettingField): boolean {
    const words = this._search.toLowerCase().split(/\s+/).filter(Boolean);
    const all = `${t(`setting.${field.key}`)} ${t(`help.${field.key}`)} ${field.kohya} ${field.key}`.toLowerCase();
    return words.every((word) => all.includes(word));
  }

  private _onSearch(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this._search = event.currentTarget.value;
  }

  private _onChange(event: CustomEvent<SettingChange>): void {
    this.dispatchEvent(new CustomEvent<SettingChange>("setting-change", { detail: event.detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-settings": TlSettings;
  }
}
