import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { type AutotagOptions, defaultOptions, MergeMode, UnionOrder } from "../../protocol/autotag-options.js";
import type { LabelCategory } from "../../protocol/tag-scores.js";
import { formatNumber } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** Where a slider stands when its category is ticked. */
const FIRST_THRESHOLD = 0.5;

/**
 * How a tagger's scores become tags: thresholds by category, how they are merged, what is never given.
 *
 * @fires options-change - `detail` is the new AutotagOptions; while a slider is dragged, too.
 */
@customElement("tl-autotag-options")
export class TlAutotagOptions extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap-large);
      }
      .thresholds {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr));
        gap: var(--tl-gap) var(--tl-gap-huge);
      }
      .threshold {
        display: grid;
        grid-template-columns: minmax(11ch, auto) minmax(80px, 1fr) 4.5ch;
        align-items: center;
        gap: var(--tl-gap);
        min-height: var(--tl-control);
      }
      label {
        display: flex;
        align-items: center;
        gap: 6px;
      }
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 220px), 1fr));
        gap: var(--tl-gap-large);
        align-items: end;
      }
      .tick {
        min-height: var(--tl-control);
      }
      .fields > label:not(.tick) {
        display: grid;
        gap: 4px;
      }
    `,
  ];

  @property({ attribute: false }) options: AutotagOptions = defaultOptions("wd");
  @property({ attribute: false }) categories: readonly LabelCategory[] = [];
  @property({ type: Boolean }) disabled = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { options } = this;
    return html`
      <div class="thresholds" role="group" aria-label=${t("autotag.thresholds")}>${this.categories.map((category) => this._renderThreshold(category))}</div>
      <div class="fields" @keydown=${(event: KeyboardEvent) => event.stopPropagation()}>
        <label><span class="fine subdued">${t("autotag.merge")}</span>${this._renderSelect("merge", MergeMode.options, (value) => t(`autotag.merge.${value}`))}</label>
        ${
          options.merge === "union"
            ? html`<label><span class="fine subdued">${t("autotag.order")}</span>${this._renderSelect("order", UnionOrder.options, (value) => t(`autotag.order.${value}`))}</label>`
            : nothing
        }
        <label><span class="fine subdued">${t("autotag.exclude")}</span>
          <input name="exclude" placeholder=${t("autotag.exclude.example")} .value=${options.exclude.join(", ")} ?disabled=${this.disabled} @change=${this._onExclude} />
        </label>
        ${this._renderTick("mcut")}${this._renderTick("keepUnderscores")}
      </div>
    `;
  }

  private _renderThreshold(category: LabelCategory): TemplateResult {
    const value = this.options.thresholds[category];
    const isOn = value !== null;
    const name = t(`autotag.category.${category}`);
    return html`<div class="threshold">
      <label><input type="checkbox" .checked=${isOn} ?disabled=${this.disabled} data-category=${category} @change=${() => this._setThreshold(category, isOn ? null : usual(category))} />${name}</label>
      <input type="range" min="0.06" max="1" step="0.01" aria-label=${t("autotag.threshold", { category: name })} .value=${String(value ?? usual(category))} ?disabled=${this.disabled || !isOn} data-threshold=${category}
        @input=${(event: InputEvent & { currentTarget: HTMLInputElement }) => this._setThreshold(category, Number(event.currentTarget.value))} />
      <span class="number ${isOn ? "" : "subdued"}">${isOn ? formatNumber(value, 2) : t("autotag.off")}</span>
    </div>`;
  }

  private _renderSelect<Value extends string>(
    name: "merge" | "order",
    values: readonly Value[],
    words: (value: Value) => string,
  ): TemplateResult {
    return html`<select name=${name} ?disabled=${this.disabled} @change=${(event: Event & { currentTarget: HTMLSelectElement }) => this._change({ [name]: event.currentTarget.value })}>
      ${values.map((value) => html`<option value=${value} ?selected=${this.options[name] === value}>${words(value)}</option>`)}
    </select>`;
  }

  private _renderTick(name: "mcut" | "keepUnderscores"): TemplateResult {
    return html`<label class="tick" title=${t(`autotag.${name}.help`)}><input type="checkbox" name=${name} .checked=${this.options[name]} ?disabled=${this.disabled} @change=${() => this._change({ [name]: !this.options[name] })} />${t(`autotag.${name}`)}</label>`;
  }

  private _onExclude(event: Event & { currentTarget: HTMLInputElement }): void {
    const exclude = event.currentTarget.value.split(/[,，]/).map((tag) => tag.trim());
    this._change({ exclude: exclude.filter((tag) => tag !== "") });
  }

  private _setThreshold(category: LabelCategory, value: number | null): void {
    this._change({ thresholds: { ...this.options.thresholds, [category]: value } });
  }

  private _change(change: Partial<AutotagOptions>): void {
    this.dispatchEvent(new CustomEvent("options-change", { detail: { ...this.options, ...change } }));
  }
}

/** Of a rating or a quality the surest one is wanted, however sure it is. */
function usual(category: LabelCategory): number {
  return category === "rating" || category === "quality" ? 0.06 : FIRST_THRESHOLD;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-autotag-options": TlAutotagOptions;
  }
}
