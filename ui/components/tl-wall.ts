import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { DatasetImage, ProblemCode } from "../../protocol/dataset.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";

/**
 * Thumbnails that are walked with the arrow keys.
 *
 * @fires wall-select - `detail` is the id of the picture that has the focus now.
 * @fires wall-open - `detail` is the id of the picture to show large.
 */
@customElement("tl-wall")
export class TlWall extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      div {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(var(--wall-size, 160px), 100%), 1fr));
        gap: var(--tl-gap);
      }
      button {
        position: relative;
        display: block;
        aspect-ratio: 1;
        padding: 0;
        overflow: hidden;
        border: 1px solid var(--tl-border);
        background: var(--tl-surface);
      }
      button[aria-current="true"] {
        border-color: var(--tl-accent);
        outline: 2px solid var(--tl-accent);
        outline-offset: 1px;
      }
      img {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: contain;
      }
      .mark {
        position: absolute;
        inset: auto 6px 6px auto;
        display: grid;
        place-items: center;
        width: 24px;
        height: 24px;
        border-radius: 50%;
        background: var(--tl-page);
        color: var(--tl-warning);
      }
    `,
  ];

  @property({ attribute: false }) images: readonly DatasetImage[] = [];
  @property({ attribute: false }) urlOf: (image: string) => string = () => "";
  /** The problems that this wall marks. */
  @property({ attribute: false }) codes: ReadonlySet<ProblemCode> = new Set();
  @property({ attribute: false }) selected: string | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  /** Puts the keyboard on a picture. */
  async focusImage(id: string): Promise<void> {
    await this.updateComplete;
    this._button(this.images.findIndex((image) => image.id === id))?.focus();
  }

  protected override shouldUpdate(changed: PropertyValues): boolean {
    // `urlOf` is a new function at each render of the page and changes nothing by itself.
    return [...changed.keys()].some((key) => key !== "urlOf") || changed.size === 0;
  }

  override render(): TemplateResult {
    const at = Math.max(
      0,
      this.images.findIndex((image) => image.id === this.selected),
    );
    return html`<div role="group" aria-label=${t("wall.label")} @keydown=${this._onKeydown}>
      ${repeat(
        this.images,
        (image) => image.id,
        (image, index) => this._renderImage(image, index === at),
      )}
    </div>`;
  }

  private _renderImage(image: DatasetImage, isCurrent: boolean): TemplateResult {
    const problems = image.problems.filter((code) => this.codes.has(code)).map((code) => t(`problem.${code}`));
    return html`<button
      data-image=${image.id}
      tabindex=${isCurrent ? 0 : -1}
      aria-current=${image.id === this.selected}
      aria-label=${problems.length > 0 ? t("wall.withProblems", { name: image.id, problems: problems.join(", ") }) : image.id}
      title=${problems.join(", ")}
      @click=${() => this._say("wall-open", image.id)}
      @focus=${() => this._say("wall-select", image.id)}
    >
      <img src=${this.urlOf(image.id)} alt="" loading="lazy" decoding="async" />
      ${problems.length > 0 ? html`<span class="mark">${icon("warning")}</span>` : ""}
    </button>`;
  }

  private _onKeydown(event: KeyboardEvent): void {
    const at = this.images.findIndex((image) => image.id === this.selected);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this._columns(), ArrowUp: -this._columns() }[event.key];
    const target = event.key === "Home" ? 0 : event.key === "End" ? this.images.length - 1 : step === undefined ? null : at + step;
    if (target === null || target < 0 || target >= this.images.length) return;
    event.preventDefault();
    this._button(target)?.focus();
  }

  private _columns(): number {
    const buttons = [...this.renderRoot.querySelectorAll("button")];
    const top = buttons[0]?.offsetTop;
    return Math.max(1, buttons.filter((button) => button.offsetTop === top).length);
  }

  private _button(index: number): HTMLButtonElement | undefined {
    return this.renderRoot.querySelectorAll("button")[index];
  }

  private _say(type: string, detail: string): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-wall": TlWall;
  }
}
