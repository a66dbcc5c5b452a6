import type { PropertyValues } from "lit";
import { css, html, LitElement, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/**
 * The word that will call the concept.
 *
 * @fires trigger-save - `detail` is the new word.
 */
@customElement("tl-trigger-word")
export class TlTriggerWord extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      form {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px var(--tl-gap);
      }
      label {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px var(--tl-gap);
      }
      input {
        max-width: 24ch;
      }
    `,
  ];

  @property() word = "";
  @property({ type: Boolean }) disabled = false;
  @state() private _draft = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("word")) this._draft = this.word;
  }

  override render(): TemplateResult {
    const isChanged = this._draft.trim() !== this.word;
    return html`<form @submit=${this._onSubmit}>
      <label
        >${t("trigger.label")}
        <input ?readonly=${this.disabled} autocomplete="off" spellcheck="false" .value=${this._draft} placeholder=${t("trigger.none")} aria-describedby="help" data-test="trigger-word" @input=${this._onInput} @keydown=${(event: KeyboardEvent) => event.stopPropagation()}
      /></label>
      <button class=${isChanged ? "primary" : ""} ?disabled=${!isChanged || this.disabled} data-test="save-trigger-word">${t("trigger.save")}</button>
      <span id="help" class="subdued fine">${t("trigger.help")}</span>
    </form>`;
  }

  private _onInput(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this._draft = event.currentTarget.value;
  }

  private _onSubmit(event: SubmitEvent): void {
    event.preventDefault();
    this.dispatchEvent(new CustomEvent("trigger-save", { detail: this._draft.trim() }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-trigger-word": TlTriggerWord;
  }
}
