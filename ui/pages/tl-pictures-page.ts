import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { Dataset, DatasetImage } from "../../protocol/dataset.js";
import type { PictureOperation } from "../../protocol/picture-edit.js";
import type { Grade } from "../../protocol/sorting.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-failure.js";
import "../components/tl-filter.js";
import "../components/tl-grades.js";
import "../components/tl-picture-view.js";
import "../components/tl-problems.js";
import "../components/tl-trigger-word.js";
import "../components/tl-wall.js";
import type { TlWall } from "../components/tl-wall.js";
import { noChoice, one, successor, type WallChoice } from "../components/wall-choice.js";
import { imageUrl } from "../data/datasets.js";
import { memoOne } from "../data/memo-one.js";
import { readPreference, writePreference } from "../data/preferences.js";
import { filterError, filterImages, isUnfiltered, pictureCodes, pictureProblems } from "../data/problems.js";
import { datasetRoute, type Filter, noFilter, routeHash } from "../data/route.js";
import type { Session } from "../data/session.js";
import { countGrades } from "../data/sorting.js";
import { type AppState, emptyState } from "../data/store.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { DatasetEditor } from "./dataset-editor.js";
import { fixCodes, renderDatasetStep, renderUndo } from "./render-dataset-step.js";
import { SortController } from "./sort-controller.js";

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
      .undo {
        margin-inline-start: auto;
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) datasetName = "";
  @property({ attribute: false }) filter: Filter = noFilter;
  @state() private _choice: WallChoice = noChoice;
  @state() private _large = false;
  @state() private _size = Number(readPreference(SIZE_KEY)) || (innerWidth < 500 ? 108 : 168);
  @query("tl-wall") private readonly _wall!: TlWall | null;
  private readonly _sort = new SortController(this);
  private readonly _editor = new DatasetEditor(this, () => this._sort.settled());
  private readonly _shown = memoOne(filterImages);
  private readonly _problems = memoOne(pictureProblems);
  private readonly _grades = memoOne(countGrades);

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`<h1 class="visually-hidden">${t("step.pictures")}</h1>
      <div class="contents" @keydown=${this._onKeydown}>${renderDatasetStep(this._editor, (dataset) => this._renderReady(dataset))}</div>`;
  }

  private _renderReady(dataset: Dataset): TemplateResult {
    const images = this._shown(dataset.images, this.filter);
    const shown = images.find((image) => image.id === this._choice.current);
    return html`
      <tl-failure .failure=${this._sort.failure}></tl-failure>
      <tl-trigger-word .word=${dataset.triggerWord} ?disabled=${this._editor.locked} @trigger-save=${(event: CustomEvent<string>) => this._editor.saveTriggerWord(event.detail)}></tl-trigger-word>
      <tl-problems
        .problems=${this._problems(dataset)}
        .shown=${this.filter.problem}
        ?disabled=${this._editor.locked}
        @problem-show=${(event: CustomEvent<string | null>) => this._show({ ...this.filter, problem: event.detail })}
        @problem-fix=${fixCodes(this._editor)}
      ></tl-problems>
      ${this._large && shown ? this._renderView(dataset, images, shown) : nothing}
      <tl-filter .text=${this.filter.text} .error=${filterError(this.filter)} .subsets=${dataset.subsets} .images=${dataset.images} @filter-text=${this._onText}></tl-filter>
      ${this._renderTools(dataset, images)}
      <tl-wall
        .images=${images}
        .codes=${pictureCodes}
        .choice=${this._choice}
        .size=${this._size}
        .urlOf=${(image: DatasetImage, size: number) => imageUrl(this.session, this.datasetName, image, size)}
        @wall-choose=${(event: CustomEvent<WallChoice>) => (this._choice = event.detail)}
        @wall-open=${this._onOpen}
      ></tl-wall>
      <p class="subdued fine">${t("pictures.keys")}</p>
    `;
  }

  private _renderTools(dataset: Dataset, images: readonly DatasetImage[]): TemplateResult {
    const chosen = this._choice.chosen.size;
    return html`<div class="tools">
      <label>${t("pictures.size")}<input type="range" min="80" max="420" step="4" .value=${String(this._size)} @input=${this._onSize} /></label>
      <span class="subdued number" data-test="shown">${isUnfiltered(this.filter) ? t("datasets.pictures", { n: images.length }) : t("pictures.some", { shown: images.length, n: dataset.images.length })}</span>
      ${isUnfiltered(this.filter) ? nothing : html`<button class="small quiet" @click=${() => this._show(noFilter)}>${t("pictures.showAll")}</button>`}
      <tl-grades
        .counts=${this._grades(dataset.images)}
        .rejected=${this._sort.rejected}
        .chosen=${chosen}
        .waiting=${this._sort.waiting}
        ?disabled=${this._editor.locked}
        @grade=${(event: CustomEvent<Grade | "reject">) => this._sortChosen(event.detail)}
      ></tl-grades>
      ${renderUndo(this._editor, () => this._undo())}
    </div>`;
  }

  private _renderView(dataset: Dataset, images: readonly DatasetImage[], image: DatasetImage): TemplateResult {
    return html`<tl-picture-view
      .image=${image}
      .url=${imageUrl(this.session, this.datasetName, image)}
      .triggerWord=${dataset.triggerWord}
      .position=${t("view.position", { at: images.indexOf(image) + 1, of: images.length })}
      ?disabled=${this._editor.locked}
      @view-close=${this._onClose}
      @view-step=${(event: CustomEvent<number>) => this._step(images, event.detail)}
      @view-reject=${() => this._sortChosen("reject")}
      @caption-save=${(event: CustomEvent<string>) => this._editor.saveCaption(image.id, event.detail)}
      @picture-operations=${(event: CustomEvent<PictureOperation[]>) => this._editor.editPicture(image.id, event.detail)}
    ></tl-picture-view>`;
  }

  private _onKeydown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    const isViewsArrow =
      this._large && (key === "arrowleft" || key === "arrowright") && !(event.composedPath()[0] instanceof HTMLInputElement);
    if (key === "z") this._undo();
    else if (key === "escape" && this._large) this._onClose();
    else if (key === "x" || key === "delete") this._sortChosen("reject");
    else if (key === "1") this._sortChosen("good");
    else if (key === "2") this._sortChosen("weak");
    else if (isViewsArrow && !event.defaultPrevented) this._step(this._images(), key === "arrowleft" ? -1 : 1);
  }

  private _onOpen(event: CustomEvent<string>): void {
    const isOpen = this._large && this._choice.current === event.detail;
    this._choice = one(event.detail);
    if (isOpen) this._onClose();
    else this._large = true;
    void this.updateComplete.then(() => this.renderRoot.querySelector("tl-picture-view")?.scrollIntoView({ block: "nearest" }));
  }

  private _onClose(): void {
    this._large = false;
    if (this._choice.current) void this._wall?.focusImage(this._choice.current);
  }

  private _step(images: readonly DatasetImage[], by: number): void {
    const at = images.findIndex((image) => image.id === this._choice.current);
    const next = images[at + by];
    if (next) this._choice = one(next.id);
  }

  private _images(): readonly DatasetImage[] {
    const dataset = this._editor.ready;
    return dataset ? this._shown(dataset.images, this.filter) : [];
  }

  /** The keyboard goes on to the next picture at once: sorting a hundred takes as long as pressing a hundred keys. */
  private _sortChosen(how: Grade | "reject"): void {
    if (this._editor.locked) return;
    const before = this._images().map((image) => image.id);
    const chosen = before.filter((id) => this._choice.chosen.has(id));
    if (chosen.length === 0) return;
    const next = successor(before, new Set(chosen), this._choice.current);
    const moves = how === "reject" ? this._sort.reject(chosen) : this._sort.grade(chosen, how);
    const moved = new Map(moves.map(({ from, to }) => [from, to]));
    // At the end of the wall a picture that stays in sight keeps the keyboard.
    const current = this._choice.current ?? "";
    const stays = moved.has(current) ? (moved.get(current) ?? null) : current;
    this._choice = one(next ?? stays);
    void this.updateComplete.then(() => this._choice.current && !this._large && this._wall?.reveal(this._choice.current));
  }

  private _undo(): void {
    if (this._editor.locked) return;
    const before = new Set(this._images().map((image) => image.id));
    if (!this._sort.undo()) return void this._editor.undo();
    const back = this._images().filter((image) => !before.has(image.id));
    if (back[0]) this._choice = { ...one(back[0].id), chosen: new Set(back.map((image) => image.id)) };
    void this.updateComplete.then(() => back[0] && this._wall?.reveal(back[0].id));
  }

  private _onSize(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this._size = Number(event.currentTarget.value);
    writePreference(SIZE_KEY, String(this._size));
  }

  private _onText(event: CustomEvent<{ text: string; typed: boolean }>): void {
    const filter = { ...this.filter, text: event.detail.text };
    if (event.detail.typed) {
      // Each letter is no place of its own to go back to.
      history.replaceState(history.state, "", this._hash(filter));
      this.filter = filter;
    } else this._show(filter);
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
