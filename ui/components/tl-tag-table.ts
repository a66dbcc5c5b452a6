import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { TagCount } from "../data/tags.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/**
 * All tags of a data set with how often they occur.
 *
 * @fires tag-choose - `detail` is the tag whose pictures should be shown, or null for all.
 */
@customElement("tl-tag-table")
export class TlTagTable extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        gap: var(--tl-gap);
      }
      ul {
        overflow: auto;
        max-height: var(--tag-table-height, calc(100vh - 140px));
        border: 1px solid var(--tl-border);
        border-radius: var(--tl-radius);
      }
      li + li {
        border-top: 1px solid var(--tl-border);
      }
      li button {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        width: 100%;
        min-height: var(--tl-control);
        border: 0;
        border-radius: 0;
        background: none;
        color: inherit;
        font-weight: 400;
        text-align: start;
        white-space: normal;
      }
      li button {
        position: relative;
      }
      li button::before {
        content: "";
        position: absolute;
        inset: 0 auto 0 0;
        width: var(--share);
        background: var(--tl-accent-tint);
      }
      li button > * {
        position: relative;
      }
      li button:hover:not(:disabled) {
        background: var(--tl-tint);
      }
      li button[aria-pressed="true"] {
        background: var(--tl-accent-tint);
        font-weight: 600;
      }
      li button:focus-visible {
        outline-offset: -2px;
      }
    `,
  ];

  @property({ attribute: false }) tags: readonly TagCount[] = [];
  @property({ attribute: false }) chosen: string | null = null;
  @property({ type: Number }) total = 0;
  @property() triggerWord = "";
  @state() private _search = "";

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const search = this._search.trim().toLowerCase();
    const tags = this.tags.filter(({ tag }) => tag.toLowerCase().includes(search));
    return html`
      <input type="search" aria-label=${t("tags.search")} placeholder=${t("tags.search")} .value=${this._search} @input=${this._onSearch} @keydown=${(event: KeyboardEvent) => event.stopPropagation()} />
      ${
        tags.length === 0
          ? html`<p class="subdued">${t("tags.none")}</p>`
          : html`<ul aria-label=${t("tags.table", { n: tags.length })}>${tags.map((count) => this._renderTag(count))}</ul>`
      }
    `;
  }

  private _renderTag({ tag, count }: TagCount): TemplateResult {
    const isChosen = tag === this.chosen;
    return html`<li>
      <button data-tag=${tag} aria-pressed=${isChosen} style=${`--share: ${this.total > 0 ? (100 * count) / this.total : 0}%`} @click=${() => this._choose(isChosen ? null : tag)}>
        <span class="break">${tag}${tag === this.triggerWord ? html` <span class="subdued fine">${t("tags.trigger")}</span>` : nothing}</span>
        <span class="number subdued">${count}</span>
      </button>
    </li>`;
  }

  private _onSearch(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this._search = event.currentTarget.value;
  }

  private _choose(detail: string | null): void {
    this.dispatchEvent(new CustomEvent("tag-choose", { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-tag-table": TlTagTable;
  }
}
