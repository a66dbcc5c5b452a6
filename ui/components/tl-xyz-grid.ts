import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { Cell } from "../../protocol/grid.js";
import { cellAt, type GridModel, neighbour, noLora, type Place, placeKey, samePlace } from "../data/grid-model.js";
import { formatWeight } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";
import { cellName } from "./place-name.js";
import { renderHeat } from "./render-heat.js";
import { xyzGridStyles } from "./tl-xyz-grid.styles.js";

/** Where the selection is; the row matters for the no-LoRA column, which every row shows. */
export type Selection = { place: Place; row: number };

/** What is laid over the cells. */
export type GridLook = { heat: boolean; stars: ReadonlySet<string>; outlined: readonly Place[]; pinned: Place | null; showBase: boolean };

/**
 * Epochs down, weights across, the no-LoRA column fixed at the left.
 *
 * @fires cell-select - `detail` is a Selection.
 * @fires cell-open - `detail` is a Selection whose details are wanted.
 */
@customElement("tl-xyz-grid")
export class TlXyzGrid extends LitElement {
  static override styles = [text, controls, xyzGridStyles];

  @property({ attribute: false }) model: GridModel | null = null;
  @property({ type: Number }) prompt = 0;
  @property({ type: Number }) seed = 0;
  @property({ attribute: false }) selection: Selection = { place: noLora, row: 0 };
  @property({ attribute: false }) look: GridLook = { heat: false, stars: new Set(), outlined: [], pinned: null, showBase: false };
  @property({ attribute: false }) urlOf: (cell: Cell, size: number) => string = () => "";
  @state() private _thumbnail = 512;
  private _resize: ResizeObserver | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this._resize = new ResizeObserver(() => this._measure());
    this._resize.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this._resize?.disconnect();
  }

  /** Puts the keyboard on the selected cell. */
  async focusSelected(): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  protected override updated(changed: PropertyValues<this>): void {
    const before = changed.get("selection");
    if (!before || !this.shadowRoot?.activeElement) return;
    // The page makes a new selection object at every event of a run; only a real move takes the keyboard along.
    if (samePlace(before.place, this.selection.place) && before.row === this.selection.row) return;
    void this.focusSelected().then(() => this._reveal());
  }

  override render(): TemplateResult {
    const { model } = this;
    if (!model) return html``;
    return html`<div class="grid" role="grid" aria-label=${t("grid.label")} style=${`--columns: ${model.weights.length + 1}; --ratio: ${model.width} / ${model.height}`} @keydown=${this._onKeydown}>
      <div role="row">
        <span class="corner" role="columnheader"><span class="visually-hidden">${t("grid.epoch")}</span></span>
        <span class="head first" role="columnheader">${t("grid.noLora")}</span>
        ${model.weights.map((weight) => html`<span class="head number" role="columnheader">${formatWeight(weight)}</span>`)}
      </div>
      ${model.epochs.map((epoch, row) => this._renderRow(model, epoch, row))}
    </div>`;
  }

  private _renderRow(model: GridModel, epoch: number, row: number): TemplateResult {
    const places: Place[] = [noLora, ...model.weights.map((weight) => ({ epoch, weight }))];
    return html`<div role="row">
      <span class="side number ${model.verdict?.epoch === epoch ? "best" : ""}" role="rowheader" title=${model.files.get(epoch) ?? ""}>${epoch}</span>
      ${places.map((place) => this._renderCell(model, place, row))}
    </div>`;
  }

  private _renderCell(model: GridModel, place: Place, row: number): TemplateResult {
    const cell = cellAt(model, place, this.prompt, this.seed);
    const base = cellAt(model, noLora, this.prompt, this.seed);
    const isSelected = samePlace(place, this.selection.place) && (place.epoch > 0 || row === this.selection.row);
    const isBest = place.epoch > 0 && place.epoch === model.verdict?.epoch && place.weight === model.verdict.weight;
    const isOutlined = this.look.outlined.some((one) => samePlace(one, place) || (one.weight === 0 && place.epoch === 0));
    const shown = isSelected && this.look.showBase ? base : cell;
    const classes = [
      "cell",
      place.epoch === 0 ? "first" : "",
      isOutlined ? "outlined" : "",
      isBest ? "best" : "",
      model.seeds.length > 1 ? "stack" : "",
    ]
      .filter(Boolean)
      .join(" ");
    return html`<div
      class=${classes}
      role="gridcell"
      tabindex=${isSelected ? 0 : -1}
      aria-selected=${isSelected}
      data-test="grid-cell"
      data-epoch=${place.epoch}
      data-weight=${place.weight}
      data-drawn=${cell !== undefined}
      @click=${() => this._say("cell-open", { place, row })}
    >
      <span class="visually-hidden">${cellName(model, place)}</span>
      ${shown ? html`<img src=${this.urlOf(shown, this._thumbnail)} alt="" loading="lazy" decoding="async" />` : html`<span class="empty">${t("grid.toCome")}</span>`}
      ${this.look.heat ? renderHeat(model, place, this.prompt, this.seed) : nothing}
      ${isBest ? html`<span class="badge best-badge">${t("grid.best")}</span>` : nothing}
      ${this.look.stars.has(placeKey(place)) ? html`<span class="badge star">${icon("star")}</span>` : nothing}
      ${samePlace(this.look.pinned, place) && place.epoch > 0 ? html`<span class="badge pin">${icon("pin")}</span>` : nothing}
    </div>`;
  }

  private _onKeydown(event: KeyboardEvent): void {
    const { model } = this;
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this._say("cell-open", this.selection);
    } else if (model && (dx !== 0 || dy !== 0) && dx !== undefined && dy !== undefined) {
      event.preventDefault();
      this._say("cell-select", neighbour(model, this.selection, dx, dy));
    }
  }

  private _reveal(): void {
    this.renderRoot.querySelector('[tabindex="0"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // Thumbnails come in a few sizes only, so that a drag of the window does not ask for a hundred of them.
  private _measure(): void {
    const width = (this.clientWidth / ((this.model?.weights.length ?? 5) + 1)) * devicePixelRatio;
    this._thumbnail = [192, 384, 768, 1536].find((size) => size >= width) ?? 1536;
  }

  private _say(type: string, detail: Selection): void {
    this.dispatchEvent(new CustomEvent<Selection>(type, { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-xyz-grid": TlXyzGrid;
  }
}
