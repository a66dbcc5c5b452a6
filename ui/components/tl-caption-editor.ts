import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { joinTags, splitCaption } from "../data/tags.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";

/**
 * One caption as text and as tags.
 *
 * @fires caption-save - `detail` is the new caption.
 */
@customElement("tl-caption-editor")
export class TlCaptionEditor extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap);
      }
      label {
        display: grid;
        gap: 4px;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      .tag {
        --tl-control: 28px;
        padding: 1px 6px 1px 10px;
        font-weight: 400;
        font-size: var(--tl-text-small);
        white-space: normal;
        text-align: start;
      }
      .tag svg {
        width: 12px;
        height: 12px;
      }
      .trigger {
        border-color: var(--tl-accent);
      }
    `,
  ];

  @property() caption = "";
  @property() triggerWord = "";
  @property({ type: Boolean }) disabled = false;
  @state() private _draft = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("caption")) this._draft = this.caption;
  }

  override render(): TemplateResult {
    const isChanged = this._draft !== this.caption;
    const tags = splitCaption(this._draft);
    return html`
      <label>
        <span>${t("caption.label")}</span>
        <textarea ?readonly=${this.disabled} rows="4" spellcheck="false" .value=${this._draft} data-test="caption" @input=${this._onInput} @keydown=${this._onKeydown}></textarea>
      </label>
      <ul aria-label=${t("caption.tags", { n: tags.length })}>
        ${tags.map(
          (tag, index) =>
            html`<li><button class="tag ${tag === this.triggerWord ? "trigger" : ""}" title=${t("caption.removeTag", { tag })} aria-label=${t("caption.removeTag", { tag })} @click=${() => this._removeTag(index)}>${tag}${icon("close")}</button></li>`,
        )}
      </ul>
      <div class="row">
        <button class="primary" ?disabled=${!isChanged || this.disabled} data-test="save-caption" @click=${this._onSave}>${t("caption.save")}</button>
        <button ?disabled=${!isChanged} @click=${() => (this._draft = this.caption)}>${t("caption.revert")}</button>
        <span class="subdued fine">${t("caption.keys")}</span>
      </div>
    `;
  }

  private _onInput(event: InputEvent & { currentTarget: HTMLTextAreaElement }): void {
    this._draft = event.currentTarget.value;
  }

  // Letters typed here are text, not commands of the page around it.
  private _onKeydown(event: KeyboardEvent): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this._onSave();
    }
    if (event.key !== "Escape") event.stopPropagation();
  }

  private _removeTag(at: number): void {
    this._draft = joinTags(splitCaption(this._draft).filter((_, index) => index !== at));
  }

  private _onSave(): void {
    if (this._draft === this.caption || this.disabled) return;
    this.dispatchEvent(new CustomEvent("caption-save", { detail: this._draft }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-caption-editor": TlCaptionEditor;
  }
}
