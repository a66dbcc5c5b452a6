import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { type AxisBalance, type BalanceEntry, balanceBoard } from "../../protocol/balance.js";
import type { Dataset, DatasetImage } from "../../protocol/dataset.js";
import { datasetRoute, routeHash } from "../data/route.js";
import { formatPercent } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** So many of an axis' tags are shown. */
const SHOWN = 6;

/** How a set is spread over views, framings, poses, expressions, clothes and backgrounds; what is missing and what nearly all pictures share. */
@customElement("tl-balance-board")
export class TlBalanceBoard extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: block;
      }
      summary {
        min-height: 44px;
        padding: 10px 0;
        cursor: pointer;
        font-weight: 600;
      }
      h3 {
        margin: var(--tl-gap-large) 0 2px;
        font-size: inherit;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(210px, 100%), 1fr));
        gap: 2px var(--tl-gap-large);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        justify-content: space-between;
        gap: var(--tl-gap);
        background: linear-gradient(var(--tl-border), var(--tl-border)) 0 100% / calc(var(--share) * 100%) 2px no-repeat;
      }
      a {
        color: var(--tl-link);
      }
    `,
  ];

  @property({ attribute: false }) scan: Dataset | null = null;
  /** The address that looks for pictures of the subject with a tag; null where nothing can be searched. */
  @property({ attribute: false }) searchHash: ((tags: string) => string) | null = null;
  #asked: readonly DatasetImage[] | null = null;
  #board: AxisBalance[] = [];

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult | typeof nothing {
    if (!this.scan) return nothing;
    if (this.#asked !== this.scan.images) {
      this.#asked = this.scan.images;
      this.#board = balanceBoard(this.scan.images.filter(({ subset }) => !subset.toLowerCase().startsWith("reg/")));
    }
    const gaps = this.#board.reduce((sum, { missing, dominant }) => sum + missing.length + (dominant ? 1 : 0), 0);
    return html`<details data-test="balance">
      <summary>${t("balance.title")} <span class="subdued number">${gaps > 0 ? t("balance.gaps", { n: gaps }) : t("balance.even")}</span></summary>
      <p class="subdued fine">${t("balance.help")}</p>
      ${this.#board.map((axis) => this._renderAxis(axis))}
    </details>`;
  }

  private _renderAxis({ axis, known, entries, missing, dominant }: AxisBalance): TemplateResult {
    return html`<section data-axis=${axis}>
      <h3>${t(`balance.${axis}`)} <span class="subdued number fine">${t("balance.known", { n: known })}</span></h3>
      ${dominant ? html`<p class="warning">${t("balance.dominant", { tag: dominant.tag, share: formatPercent(dominant.share) })} ${this._renderSearch(`-${underscored(dominant.tag)}`, t("balance.searchOthers"))}</p>` : nothing}
      <ul>${entries.slice(0, SHOWN).map((entry) => this._renderEntry(entry))}</ul>
      ${missing.length > 0 ? html`<p>${t("balance.missing")} ${missing.map((entry, index) => html`${index > 0 ? ", " : ""}${this._renderMissing(entry)}`)}</p>` : nothing}
    </section>`;
  }

  private _renderEntry({ tag, images, share }: BalanceEntry): TemplateResult {
    const route = routeHash(datasetRoute(this.scan?.name ?? "", "pictures", { has: tag }));
    return html`<li style=${`--share: ${share}`}><a href=${route}>${tag}</a><span class="number subdued">${images}</span></li>`;
  }

  private _renderMissing({ tag, images }: BalanceEntry): TemplateResult {
    const words = images === 0 ? tag : t("balance.few", { tag, n: images });
    return html`<span data-missing=${tag}>${this._renderSearch(underscored(tag), words)}</span>`;
  }

  private _renderSearch(tags: string, words: string): TemplateResult {
    return this.searchHash ? html`<a href=${this.searchHash(tags)}>${words}</a>` : html`${words}`;
  }
}

const underscored = (tag: string) => tag.replaceAll(" ", "_");

declare global {
  interface HTMLElementTagNameMap {
    "tl-balance-board": TlBalanceBoard;
  }
}
