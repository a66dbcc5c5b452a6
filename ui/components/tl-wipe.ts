import { css, html, LitElement, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** Two pictures in one place; a slider wipes from the first to the second. */
@customElement("tl-wipe")
export class TlWipe extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      .both {
        position: relative;
        aspect-ratio: var(--ratio, 1);
        overflow: hidden;
        border-radius: var(--tl-radius-small);
        touch-action: none;
        cursor: ew-resize;
      }
      img {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: cover;
        user-select: none;
      }
      .line {
        position: absolute;
        inset: 0 auto;
        width: 2px;
        margin-left: -1px;
        background: #fff;
        box-shadow: 0 0 0 1px #0009;
      }
      input {
        width: 100%;
        min-height: var(--tl-control);
      }
      .names {
        display: flex;
        justify-content: space-between;
        gap: var(--tl-gap);
      }
    `,
  ];

  @property() first = "";
  @property() second = "";
  @property() firstName = "";
  @property() secondName = "";
  @state() private _at = 50;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`
      <div class="both" @pointerdown=${this._onDown} @pointermove=${this._onMove}>
        <img src=${this.second} alt=${this.secondName} draggable="false" />
        <img src=${this.first} alt=${this.firstName} draggable="false" style=${`clip-path: inset(0 ${100 - this._at}% 0 0)`} />
        <span class="line" style=${`left: ${this._at}%`}></span>
      </div>
      <input type="range" min="0" max="100" .value=${String(this._at)} aria-label=${t("grid.wipe")} @input=${this._onInput} @keydown=${(event: KeyboardEvent) => event.key.startsWith("Arrow") && event.stopPropagation()} />
      <div class="names fine subdued"><span>${this.firstName}</span><span>${this.secondName}</span></div>
    `;
  }

  private _onInput(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this._at = event.currentTarget.valueAsNumber;
  }

  private _onDown(event: PointerEvent & { currentTarget: HTMLElement }): void {
    event.currentTarget.setPointerCapture(event.pointerId);
    this._onMove(event);
  }

  private _onMove(event: PointerEvent & { currentTarget: HTMLElement }): void {
    if (event.buttons === 0) return;
    const box = event.currentTarget.getBoundingClientRect();
    this._at = Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-wipe": TlWipe;
  }
}
