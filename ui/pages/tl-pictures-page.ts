import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { Dataset, DatasetImage } from "../../protocol/dataset.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-picture-view.js";
import "../components/tl-problems.js";
import "../components/tl-trigger-word.js";
import "../components/tl-wall.js";
import type { TlWall } from "../components/tl-wall.js";
import { readPreference, writePreference } from "../data/preferences.js";
import { filterImages, isUnfiltered, pictureCodes, pictureProblems } from "../data/problems.js";
import { datasetRoute, type Filter, noFilter, routeHash } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { DatasetEditor } from "./dataset-editor.js";
import { fixCodes, renderDatasetStep, renderUndo } from "./render-dataset-step.js";

const SIZE_KEY = "train-lora:thumbnails";

/** Step 1: the pictures, what is wrong with them, and one of them large. */
@customElement("tl-pictures-page")
export class TlPicturesPage extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host,
      .contents {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--tl-gap-large);
      }
      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--tl-gap) var(--tl-gap-large);
      }
      .tools > label {
        display: flex;
        align-items: center;
        gap: var(--tl-gap);
      }
      .tools input[type="search"] {
        width: min(26ch, 60vw);
      }
      .undo {
        margin-inline-start: auto;
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) datasetName = "";
  @property({ attribute: false }) filter: Filter = noFilter;
  @state() private _selected: string | null = null;
  @state() private _large = false;
  @state() private _size = Number(readPreference(SIZE_KEY)) || (innerWidth < 500 ? 108 : 168);
  @query("tl-wall") private readonly _wall!: TlWall | null;
  private readonly _editor = new DatasetEditor(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`<h1 class="visually-hidden">${t("step.pictures")}</h1>
      <div class="contents" @keydown=${this._onKeydown}>${renderDatasetStep(this._editor, (dataset) => this._renderReady(dataset))}</div>`;
  }

  private _renderReady(dataset: Dataset): TemplateResult {
    const problems = pictureProblems(dataset);
    const images = filterImages(dataset.images, this.filter);
    const shown = images.find((image) => image.id === this._selected);
    return html`
      <tl-trigger-word .word=${dataset.triggerWord} ?disabled=${this._editor.locked} @trigger-save=${(event: CustomEvent<string>) => this._editor.saveTriggerWord(event.detail)}></tl-trigger-word>
      <tl-problems
        .problems=${problems}
        .shown=${this.filter.problem}
        ?disabled=${this._editor.locked}
        @problem-show=${(event: CustomEvent<string | null>) => this._show({ ...this.filter, problem: event.detail })}
        @problem-fix=${fixCodes(this._editor)}
      ></tl-problems>
      ${this._large && shown ? this._renderView(dataset, images, shown) : nothing}
      <div class="tools">
        <label><span class="visually-hidden">${t("pictures.filter")}</span><input type="search" placeholder=${t("pictures.filter")} .value=${this.filter.text} data-test="filter" @input=${this._onText} @keydown=${(event: KeyboardEvent) => event.stopPropagation()} /></label>
        <label>${t("pictures.size")}<input type="range" min="80" max="420" step="4" .value=${String(this._size)} @input=${this._onSize} /></label>
        <span class="subdued number">${isUnfiltered(this.filter) ? t("datasets.pictures", { n: images.length }) : t("pictures.some", { shown: images.length, n: dataset.images.length })}</span>
        ${isUnfiltered(this.filter) ? nothing : html`<button class="small quiet" @click=${() => this._show(noFilter)}>${t("pictures.showAll")}</button>`}
        ${renderUndo(this._editor)}
      </div>
      <tl-wall style=${`--wall-size: ${this._size}px`} .images=${images} .codes=${pictureCodes} .selected=${this._selected} .urlOf=${(id: string) => this._editor.urlOf(id, 320)} @wall-select=${this._onSelect} @wall-open=${this._onOpen}></tl-wall>
      <p class="subdued fine">${t("pictures.keys")}</p>
    `;
  }

  private _renderView(dataset: Dataset, images: readonly DatasetImage[], image: DatasetImage): TemplateResult {
    return html`<tl-picture-view
      .image=${image}
      .url=${this._editor.urlOf(image.id)}
      .triggerWord=${dataset.triggerWord}
      .position=${t("view.position", { at: images.indexOf(image) + 1, of: images.length })}
      ?disabled=${this._editor.locked}
      @view-close=${this._onClose}
      @view-step=${(event: CustomEvent<number>) => this._step(images, event.detail)}
      @view-reject=${() => this._reject(images)}
      @caption-save=${(event: CustomEvent<string>) => this._editor.saveCaption(image.id, event.detail)}
    ></tl-picture-view>`;
  }

  private _onKeydown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const dataset = this._editor.ready;
    const key = event.key.toLowerCase();
    if (key === "z") void this._editor.undo();
    else if (key === "escape" && this._large) this._onClose();
    else if (key === "x" && dataset) void this._reject(filterImages(dataset.images, this.filter));
  }

  private _onSelect(event: CustomEvent<string>): void {
    this._selected = event.detail;
  }

  private async _onOpen(event: CustomEvent<string>): Promise<void> {
    this._large = !(this._large && this._selected === event.detail) || !this._large;
    this._selected = event.detail;
    await this.updateComplete;
    this.renderRoot.querySelector("tl-picture-view")?.scrollIntoView({ block: "nearest" });
  }

  private _onClose(): void {
    this._large = false;
    if (this._selected) void this._wall?.focusImage(this._selected);
  }

  private _step(images: readonly DatasetImage[], by: number): void {
    const at = images.findIndex((image) => image.id === this._selected);
    this._selected = images[at + by]?.id ?? this._selected;
  }

  private async _reject(images: readonly DatasetImage[]): Promise<void> {
    const at = images.findIndex((image) => image.id === this._selected);
    const image = images[at];
    if (!image || this._editor.locked) return;
    const neighbour = images[at + 1] ?? images[at - 1];
    await this._editor.reject(image.id);
    this._selected = neighbour?.id ?? null;
    if (neighbour && !this._large) void this._wall?.focusImage(neighbour.id);
  }

  private _onSize(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this._size = Number(event.currentTarget.value);
    writePreference(SIZE_KEY, String(this._size));
  }

  private _onText(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    history.replaceState(history.state, "", this._hash({ ...this.filter, text: event.currentTarget.value }));
    this.filter = { ...this.filter, text: event.currentTarget.value };
  }

  private _show(filter: Filter): void {
    location.hash = this._hash(filter);
  }

  private _hash(filter: Filter): string {
    return routeHash(datasetRoute(this.datasetName, "pictures", filter));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-pictures-page": TlPicturesPage;
  }
}
