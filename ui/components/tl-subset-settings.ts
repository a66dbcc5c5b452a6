import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { SubsetSettings } from "../../protocol/picture-settings.js";
import type { Settings } from "../../protocol/settings.js";
import type { SettingField } from "../data/setting-field.js";
import { settingFields } from "../data/setting-fields.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import type { SettingChange } from "./tl-setting.js";
import "./tl-setting.js";

export type AllSubsetSettings = Settings["subsetSettings"];

const OWN = new Set<string>(Object.keys(SubsetSettings.shape));
const fields: readonly SettingField[] = settingFields.filter(({ key }) => OWN.has(key));

/**
 * What single subsets have otherwise than the settings say, folded, one group for each subset. Nothing where there is one subset only.
 *
 * @fires subsets-change - `detail` is AllSubsetSettings with the change.
 */
@customElement("tl-subset-settings")
export class TlSubsetSettings extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      summary {
        min-height: 44px;
        padding: 10px 0;
        cursor: pointer;
      }
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(220px, 100%), 1fr));
        gap: var(--tl-gap-large);
      }
    `,
  ];

  /** Names of the data set's subsets. */
  @property({ attribute: false }) subsets: readonly string[] = [];
  /** What holds for all of them. */
  @property({ attribute: false }) values: Partial<Settings> = {};
  @property({ attribute: false }) own: AllSubsetSettings = {};

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult | typeof nothing {
    if (this.subsets.length < 2) return nothing;
    return html`<section aria-labelledby="title">
      <h2 id="title">${t("subsets.title")}</h2>
      <p class="subdued fine">${t("subsets.help")}</p>
      ${this.subsets.map((subset) => this._renderSubset(subset))}
    </section>`;
  }

  private _renderSubset(subset: string): TemplateResult {
    const own = this.own[subset] ?? {};
    const chosen = Object.keys(own).length;
    return html`<details>
      <summary><code class="break">${subset}</code> ${chosen > 0 ? html`<span class="subdued number">${t("subsets.chosen", { n: chosen })}</span>` : nothing}</summary>
      <div class="fields">
        ${fields.map((field) => html`<tl-setting .field=${field} .value=${Reflect.get(own, field.key) ?? this.values[field.key]} ?chosen=${field.key in own} @setting-change=${(event: CustomEvent<SettingChange>) => this._change(subset, event.detail)}></tl-setting>`)}
      </div>
    </details>`;
  }

  private _change(subset: string, { key, value }: SettingChange): void {
    const { [key]: _old, ...rest }: Record<string, unknown> = { ...this.own[subset] };
    const parsed = SubsetSettings.safeParse(value === undefined ? rest : { ...rest, [key]: value });
    if (!parsed.success) return;
    const { [subset]: _before, ...others } = this.own;
    const detail = Object.keys(parsed.data).length > 0 ? { ...others, [subset]: parsed.data } : others;
    this.dispatchEvent(new CustomEvent<AllSubsetSettings>("subsets-change", { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-subset-settings": TlSubsetSettings;
  }
}
