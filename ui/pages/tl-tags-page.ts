import { html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Dataset, DatasetImage } from "../../protocol/dataset.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-caption-editor.js";
import "../components/tl-problems.js";
import "../components/tl-tag-table.js";
import "../components/tl-trigger-word.js";
import { captionProblems, filterImages, isUnfiltered } from "../data/problems.js";
import { datasetRoute, type Filter, noFilter, routeHash } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { countTags } from "../data/tags.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { DatasetEditor } from "./dataset-editor.js";
import "./tl-autotag.js";
import { fixCodes, renderDatasetStep, renderUndo } from "./render-dataset-step.js";
import { tagsPageStyles } from "./tl-tags-page.styles.js";

/** Captions shown at first; the rest comes on request so that a big data set opens quickly. */
const FIRST_CAPTIONS = 60;

/** Step 2: which tags there are, which pictures have them, and every caption at hand. */
@customElement("tl-tags-page")
export class TlTagsPage extends LitElement {
  static override styles = [text, controls, tagsPageStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) datasetName = "";
  @property({ attribute: false }) filter: Filter = noFilter;
  @state() private _open: string | null = null;
  @state() private _limit = FIRST_CAPTIONS;
  private readonly _editor = new DatasetEditor(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`<h1 class="visually-hidden">${t("step.tags")}</h1>
      <div class="contents" @keydown=${this._onKeydown}>${renderDatasetStep(this._editor, (dataset) => this._renderReady(dataset))}</div>`;
  }

  private _renderReady(dataset: Dataset): TemplateResult {
    const images = filterImages(dataset.images, this.filter);
    return html`
      <tl-trigger-word .word=${dataset.triggerWord} ?disabled=${this._editor.locked} @trigger-save=${(event: CustomEvent<string>) => this._editor.saveTriggerWord(event.detail)}></tl-trigger-word>
      <tl-problems
        .problems=${captionProblems(dataset)}
        .shown=${this.filter.problem}
        ?disabled=${this._editor.locked}
        @problem-show=${(event: CustomEvent<string | null>) => this._show({ ...this.filter, problem: event.detail })}
        @problem-fix=${fixCodes(this._editor)}
      ></tl-problems>
      <tl-autotag .session=${this.session} .state=${this.state} .datasetName=${this.datasetName} .scan=${dataset} .images=${isUnfiltered(this.filter) ? null : images.map(({ id }) => id)} @captions-change=${(event: CustomEvent<string>) => this._editor.captionsChanged(event.detail)}></tl-autotag>
      <div class="halves">
        <tl-tag-table .tags=${countTags(dataset.images)} .total=${dataset.images.length} .chosen=${this.filter.has} .triggerWord=${dataset.triggerWord} @tag-choose=${(event: CustomEvent<string | null>) => this._show({ ...this.filter, has: event.detail })}></tl-tag-table>
        <section class="stack" aria-label=${t("tags.captions")}>
          <div class="row">
            <span class="number">${this._words(images.length, dataset.images.length)}</span>
            ${isUnfiltered(this.filter) ? nothing : html`<button class="small quiet" @click=${() => this._show(noFilter)}>${t("pictures.showAll")}</button>`}
            ${renderUndo(this._editor)}
          </div>
          <ul>
            ${repeat(
              images.slice(0, this._limit),
              (image) => image.id,
              (image) => this._renderImage(dataset, image),
            )}
          </ul>
          ${images.length > this._limit ? html`<button @click=${() => (this._limit += FIRST_CAPTIONS)}>${t("tags.more", { n: images.length - this._limit })}</button>` : nothing}
        </section>
      </div>
    `;
  }

  private _renderImage(dataset: Dataset, image: DatasetImage): TemplateResult {
    const isOpen = this._open === image.id;
    return html`<li class=${isOpen ? "open" : ""}>
      <img src=${this._editor.urlOf(image.id, isOpen ? 320 : 160)} alt="" loading="lazy" />
      ${
        isOpen
          ? html`<div class="grow">
            <div class="row"><span class="grow subdued fine break">${image.id}</span><button class="small" @click=${() => (this._open = null)}>${t("tags.close")}</button></div>
            <tl-caption-editor .caption=${image.caption ?? ""} .triggerWord=${dataset.triggerWord} ?disabled=${this._editor.locked} @caption-save=${(event: CustomEvent<string>) => this._editor.saveCaption(image.id, event.detail)}></tl-caption-editor>
          </div>`
          : html`<button class="caption" data-image=${image.id} title=${t("tags.edit", { image: image.id })} @click=${() => (this._open = image.id)}>
            ${image.tags.length > 0 ? image.tags.map((tag) => html`<span class=${this._tagClass(tag, dataset)}>${tag}</span>`) : html`<em class="warning">${t("tags.noCaption")}</em>`}
          </button>`
      }
    </li>`;
  }

  private _tagClass(tag: string, dataset: Dataset): string {
    return tag === this.filter.has ? "tag chosen" : tag === dataset.triggerWord ? "tag trigger" : "tag";
  }

  private _words(shown: number, all: number): string {
    const { has, problem } = this.filter;
    if (has !== null) return t("tags.with", { n: shown, tag: has });
    return problem === null ? t("datasets.pictures", { n: all }) : t("pictures.some", { shown, n: all });
  }

  private _onKeydown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === "z") void this._editor.undo();
    if (event.key === "Escape") this._open = null;
  }

  private _show(filter: Filter): void {
    this._limit = FIRST_CAPTIONS;
    location.hash = routeHash(datasetRoute(this.datasetName, "tags", filter));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-tags-page": TlTagsPage;
  }
}
