import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { AutotagPreview } from "../data/autotag-preview.js";
import type { TagCount } from "../data/tags.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

const FIRST_PICTURES = 20;
const FIRST_TAGS = 24;

/** What the captions would gain and lose, over all pictures and picture by picture. */
@customElement("tl-autotag-preview")
export class TlAutotagPreview extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap);
      }
      .tags {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 6px;
      }
      ins,
      del {
        padding: 0 7px;
        border: 1px solid var(--tl-border);
        border-radius: var(--tl-radius-small);
        font-size: var(--tl-text-small);
        overflow-wrap: anywhere;
      }
      ins {
        color: var(--tl-good);
        text-decoration: none;
      }
      ins::before {
        content: "+ ";
      }
      del {
        color: var(--tl-danger);
      }
      ul {
        max-height: 40vh;
        overflow: auto;
      }
      li {
        display: grid;
        grid-template-columns: 48px minmax(8ch, 16ch) minmax(0, 1fr);
        gap: 4px var(--tl-gap-large);
        align-items: start;
        padding: 6px 0;
        border-top: 1px solid var(--tl-border);
      }
      img {
        width: 48px;
        height: 48px;
        object-fit: contain;
        border-radius: var(--tl-radius-small);
        background: var(--tl-border);
      }
      @media (max-width: 760px) {
        li {
          grid-template-columns: 48px minmax(0, 1fr);
        }
        li .tags {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  @property({ attribute: false }) preview: AutotagPreview = { changed: [], gained: [], lost: [], unscored: 0 };
  @property({ attribute: false }) urlOf: (image: string) => string = () => "";
  @state() private _limit = FIRST_PICTURES;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { changed, gained, lost, unscored } = this.preview;
    const sum = (counts: readonly TagCount[]) => counts.reduce((total, { count }) => total + count, 0);
    return html`
      <p class="number" role="status" data-test="autotag-counts">
        <strong>${t("autotag.changes", { n: changed.length })}</strong>
        <span class="good" data-gained=${sum(gained)}>${t("autotag.gained", { n: sum(gained) })}</span>
        · <span class="danger" data-lost=${sum(lost)}>${t("autotag.lost", { n: sum(lost) })}</span>
        ${unscored > 0 ? html`· <span class="warning">${t("autotag.unscored", { n: unscored })}</span>` : nothing}
      </p>
      ${this._renderTags(gained, lost)}
      ${
        changed.length === 0
          ? nothing
          : html`<ul tabindex="0" aria-label=${t("autotag.list")}>
            ${changed.slice(0, this._limit).map(
              ({ image, gained: more, lost: less }) => html`<li data-image=${image}>
                <img src=${this.urlOf(image)} alt="" loading="lazy" />
                <span class="subdued fine break">${image}</span>
                <span class="tags">${less.map((tag) => html`<del>${tag}</del>`)}${more.map((tag) => html`<ins>${tag}</ins>`)}${more.length + less.length === 0 ? html`<span class="subdued fine">${t("autotag.orderOnly")}</span>` : nothing}</span>
              </li>`,
            )}
            ${changed.length > this._limit ? html`<li><button class="small" @click=${() => (this._limit += FIRST_PICTURES)}>${t("tags.more", { n: changed.length - this._limit })}</button></li>` : nothing}
          </ul>`
      }
    `;
  }

  private _renderTags(gained: readonly TagCount[], lost: readonly TagCount[]): TemplateResult | typeof nothing {
    if (gained.length + lost.length === 0) return nothing;
    const rest = Math.max(0, lost.length - FIRST_TAGS) + Math.max(0, gained.length - FIRST_TAGS);
    return html`<p class="tags">
      ${lost.slice(0, FIRST_TAGS).map(({ tag, count }) => html`<del>${tag} <span class="number">${count}</span></del>`)}
      ${gained.slice(0, FIRST_TAGS).map(({ tag, count }) => html`<ins>${tag} <span class="number">${count}</span></ins>`)}
      ${rest > 0 ? html`<span class="subdued fine">${t("autotag.moreTags", { n: rest })}</span>` : nothing}
    </p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-autotag-preview": TlAutotagPreview;
  }
}
