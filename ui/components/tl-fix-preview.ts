import { css, html, LitElement, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { FixChange } from "../../protocol/dataset.js";
import { markChanges } from "../data/tags.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/**
 * What a fix would change, picture by picture, before it is done.
 *
 * @fires fix-apply - Do it.
 * @fires fix-cancel - Leave everything as it is.
 */
@customElement("tl-fix-preview")
export class TlFixPreview extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      .panel {
        display: grid;
        gap: var(--tl-gap-large);
        border-color: var(--tl-accent);
      }
      .list {
        max-height: 46vh;
        overflow: auto;
      }
      li {
        display: grid;
        grid-template-columns: 56px minmax(10ch, 1fr) minmax(0, 2fr) minmax(0, 2fr);
        gap: 4px var(--tl-gap-large);
        align-items: start;
        padding: 8px 0;
        border-top: 1px solid var(--tl-border);
      }
      img {
        width: 56px;
        height: 56px;
        object-fit: cover;
        border-radius: var(--tl-radius-small);
        background: var(--tl-border);
      }
      del {
        color: var(--tl-danger);
      }
      ins {
        color: var(--tl-good);
        font-weight: 600;
        text-decoration: none;
      }
      .before,
      .after {
        overflow-wrap: anywhere;
      }
      @media (max-width: 760px) {
        li {
          grid-template-columns: 56px minmax(0, 1fr);
        }
        .before,
        .after {
          grid-column: 2;
        }
      }
    `,
  ];

  @property({ attribute: false }) changes: readonly FixChange[] = [];
  @property({ attribute: false }) urlOf: (image: string) => string = () => "";
  @property({ type: Boolean }) disabled = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const images = new Set(this.changes.map((change) => change.image)).size;
    return html`<section class="panel" aria-labelledby="title">
      <div class="row">
        <h2 id="title" class="grow" tabindex="-1">${t("fix.title", { n: images })}</h2>
        <button @click=${this._onCancel}>${t("fix.cancel")}</button>
        <button class="primary" ?disabled=${this.disabled || images === 0} data-test="apply-fixes" @click=${this._onApply}>${t("fix.apply")}</button>
      </div>
      <p class="subdued">${images === 0 ? t("fix.nothing") : t("fix.kept")}</p>
      <ul class="list" tabindex="0" aria-label=${t("fix.list")}>${this.changes.map((change) => this._renderChange(change))}</ul>
    </section>`;
  }

  private _renderChange({ image, code, before, after }: FixChange): TemplateResult {
    return html`<li>
      <img src=${this.urlOf(image)} alt="" loading="lazy" />
      <div><strong>${t(`problem.${code}`)}</strong><div class="subdued fine break">${image}</div></div>
      <div class="before"><span class="visually-hidden">${t("fix.before")}: </span>${markChanges(before, after).map(({ tag, isChanged }, at) => html`${at > 0 ? ", " : ""}${isChanged ? html`<del>${tag}</del>` : tag}`)}</div>
      <div class="after"><span class="visually-hidden">${t("fix.after")}: </span>${markChanges(after, before).map(({ tag, isChanged }, at) => html`${at > 0 ? ", " : ""}${isChanged ? html`<ins>${tag}</ins>` : tag}`)}</div>
    </li>`;
  }

  private _onApply(): void {
    this.dispatchEvent(new CustomEvent("fix-apply"));
  }

  private _onCancel(): void {
    this.dispatchEvent(new CustomEvent("fix-cancel"));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-fix-preview": TlFixPreview;
  }
}
