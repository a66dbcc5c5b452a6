import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { DatasetImage, Subset } from "../../protocol/dataset.js";
import { filterParts, togglePart } from "../data/picture-filter.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";

type Chip = { part: string; label: string };

/**
 * Which pictures are shown: an expression of tags and facts, and chips that write the commonest parts of it.
 *
 * @fires filter-text - `detail` is the new expression; `typed` in it is true while the person writes.
 */
@customElement("tl-filter")
export class TlFilter extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap);
        min-width: 0;
      }
      .chips {
        display: flex;
        flex-wrap: wrap;
        gap: var(--tl-gap-small);
      }
      .chips button {
        border-radius: 14px;
      }
      button[aria-pressed="true"] {
        border-color: var(--tl-accent);
        background: var(--tl-accent-tint);
      }
    `,
  ];

  @property() text = "";
  @property() error: string | null = null;
  @property({ attribute: false }) subsets: readonly Subset[] = [];
  @property({ attribute: false }) images: readonly DatasetImage[] = [];

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const parts = filterParts(this.text);
    const chips = this._chips();
    const own = parts.filter((part) => !chips.some((chip) => chip.part === part));
    return html`
      <label><span class="visually-hidden">${t("pictures.filter")}</span><input type="search" placeholder=${t("pictures.filter")} title=${t("filter.help")} .value=${this.text} data-test="filter" aria-invalid=${this.error !== null} @input=${this._onInput} @keydown=${(event: KeyboardEvent) => event.stopPropagation()} /></label>
      ${this.error === null ? nothing : html`<p class="warning fine" role="status">${this.error}</p>`}
      <div class="chips" role="group" aria-label=${t("filter.chips")}>
        ${chips.map(({ part, label }) => html`<button class="small" aria-pressed=${parts.includes(part)} data-part=${part} @click=${() => this._say(togglePart(this.text, part))}>${label}</button>`)}
        ${own.length > 1 || (own.length === 1 && parts.length > 1) ? own.map((part) => html`<button class="small" aria-pressed="true" title=${t("filter.remove")} @click=${() => this._say(togglePart(this.text, part))}>${part}${icon("close")}</button>`) : nothing}
      </div>
    `;
  }

  private _chips(): Chip[] {
    const names =
      this.subsets.length > 1
        ? this.subsets.map(({ name }) => ({ part: `subset:"${name}"`, label: name === "." ? t("filter.loose") : name }))
        : [];
    const hasOrigin = this.images.some(({ origin }) => origin !== undefined);
    return [
      ...names.slice(0, MOST_SUBSETS),
      { part: "ratio<0.9", label: t("filter.portrait") },
      { part: "ratio>1.1", label: t("filter.landscape") },
      { part: "ratio:0.9..1.1", label: t("filter.square") },
      { part: "(width<512 or height<512)", label: t("filter.small") },
      ...(hasOrigin ? RATINGS.map((rating) => ({ part: `rating:${rating}`, label: t(`rating.${rating}`) })) : []),
    ];
  }

  private _onInput(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this.dispatchEvent(new CustomEvent("filter-text", { detail: { text: event.currentTarget.value, typed: true } }));
  }

  private _say(text: string): void {
    this.dispatchEvent(new CustomEvent("filter-text", { detail: { text, typed: false } }));
  }
}

const MOST_SUBSETS = 12;
const RATINGS = ["general", "sensitive", "questionable", "explicit"] as const;

declare global {
  interface HTMLElementTagNameMap {
    "tl-filter": TlFilter;
  }
}
