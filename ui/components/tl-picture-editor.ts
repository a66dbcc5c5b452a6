import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { PictureOperation } from "../../protocol/picture-edit.js";
import { type Frame, frameBetween, maskPng, paintDot, pointIn } from "../data/picture-marks.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

type Tool = "frame" | "brush";

/**
 * A picture to cut, to paint over and to turn. Marks are drawn over it and sent as one operation each.
 *
 * @fires picture-operations - `detail` is a list of PictureOperation.
 */
@customElement("tl-picture-editor")
export class TlPictureEditor extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      .stage {
        position: relative;
        display: grid;
        place-items: center;
        height: min(60vh, 820px);
        background: var(--tl-page);
        border-radius: var(--tl-radius-small);
      }
      .stage > * {
        grid-area: 1 / 1;
        max-width: 100%;
        max-height: 100%;
        min-height: 0;
      }
      canvas {
        cursor: crosshair;
        touch-action: none;
      }
      .row {
        flex-wrap: wrap;
        margin-top: var(--tl-gap);
      }
      button[aria-pressed="true"] {
        border-color: var(--tl-accent);
        background: var(--tl-accent-tint);
      }
      input[type="range"] {
        width: 120px;
      }
    `,
  ];

  @property() url = "";
  /** Pixels of the picture as it is seen. */
  @property({ type: Number }) width = 0;
  @property({ type: Number }) height = 0;
  @property({ type: Boolean }) transparent = false;
  @property({ type: Boolean }) disabled = false;
  @state() private _tool: Tool = "frame";
  @state() private _brush = 24;
  @state() private _frame: Frame | null = null;
  @state() private _painted = false;
  @query("canvas") private readonly _canvas!: HTMLCanvasElement;
  #from: { x: number; y: number } | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("url")) this._clear();
  }

  override render(): TemplateResult {
    return html`<div class="stage">
        <img src=${this.url} alt="" />
        <canvas width=${this.width} height=${this.height} aria-label=${t("edit.canvas")} @pointerdown=${this._onDown} @pointermove=${this._onMove} @pointerup=${this._onUp} @pointercancel=${this._onUp}></canvas>
      </div>
      <div class="row" role="toolbar" aria-label=${t("edit.tools")}>
        <button class="small" aria-pressed=${this._tool === "frame"} data-test="tool-frame" @click=${() => this._choose("frame")}>${t("edit.frame")}</button>
        <button class="small" aria-pressed=${this._tool === "brush"} data-test="tool-brush" @click=${() => this._choose("brush")}>${t("edit.brush")}</button>
        ${this._tool === "brush" ? html`<label class="fine">${t("edit.size")} <input type="range" min="4" max="120" .value=${String(this._brush)} @input=${(event: Event & { currentTarget: HTMLInputElement }) => (this._brush = Number(event.currentTarget.value))} /></label>` : ""}
        ${this._frame ? html`<span class="number fine">${this._frame.width} × ${this._frame.height}</span>` : ""}
        <span class="grow"></span>
        ${this._renderActions()}
      </div>`;
  }

  private _renderActions(): TemplateResult {
    const act = (name: string, words: string, isPossible: boolean, operations: () => PictureOperation[]) =>
      html`<button class="small" data-test=${`edit-${name}`} ?disabled=${this.disabled || !isPossible} @click=${() => this._tell(operations())}>${words}</button>`;
    const mask = () => maskPng(this._canvas);
    return html`
      ${act("crop", t("edit.crop"), this._frame !== null, () => (this._frame ? [{ type: "crop", ...this._frame }] : []))}
      ${act("heal", t("edit.heal"), this._painted, () => [{ type: "heal", mask: mask() }])}
      ${act("white", t("edit.white"), this._painted, () => [{ type: "fill", mask: mask(), colour: "#ffffff" }])}
      ${act("turn", t("edit.turn"), true, () => [{ type: "turn", degrees: 90 }])}
      ${act("mirror", t("edit.mirror"), true, () => [{ type: "mirror" }])}
      ${this.transparent ? html`${act("flatten", t("edit.flatten"), true, () => [{ type: "flatten", colour: "#ffffff" }])} ${act("mask", t("edit.alphaToMask"), true, () => [{ type: "alphaToMask", colour: "#ffffff" }])}` : ""}
    `;
  }

  private _choose(tool: Tool): void {
    this._tool = tool;
    this._clear();
  }

  private _clear(): void {
    this._canvas.getContext("2d")?.clearRect(0, 0, this._canvas.width, this._canvas.height);
    this._frame = null;
    this._painted = false;
  }

  private _onDown(event: PointerEvent): void {
    if (this.disabled) return;
    this._canvas.setPointerCapture(event.pointerId);
    this.#from = pointIn(this._canvas, event);
    this._onMove(event);
  }

  private _onMove(event: PointerEvent): void {
    const context = this._canvas.getContext("2d");
    if (this.#from === null || context === null) return;
    const point = pointIn(this._canvas, event);
    if (this._tool === "brush") {
      paintDot(context, this.#from, point, (this._brush * this._canvas.width) / Math.max(1, this._canvas.clientWidth));
      this.#from = point;
      this._painted = true;
      return;
    }
    this._frame = frameBetween(this.#from, point, this._canvas);
    context.clearRect(0, 0, this._canvas.width, this._canvas.height);
    context.fillStyle = "rgb(0 0 0 / 55%)";
    context.fillRect(0, 0, this._canvas.width, this._canvas.height);
    if (this._frame) context.clearRect(this._frame.left, this._frame.top, this._frame.width, this._frame.height);
  }

  private _onUp(): void {
    this.#from = null;
    if (this._tool === "frame" && this._frame === null) this._clear();
  }

  private _tell(detail: PictureOperation[]): void {
    this.dispatchEvent(new CustomEvent<PictureOperation[]>("picture-operations", { detail }));
    this._clear();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-picture-editor": TlPictureEditor;
  }
}
