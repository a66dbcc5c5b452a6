import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { Dataset } from "../../protocol/dataset.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-autotag-options.js";
import "../components/tl-autotag-preview.js";
import "../components/tl-failure.js";
import { mayChange } from "../data/access.js";
import { type AutotagPreview, categoriesOf, previewAutotag } from "../data/autotag-preview.js";
import { imageUrl } from "../data/datasets.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { formatBytes } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { AutotagController } from "./autotag-controller.js";
import "./tl-disagreements.js";

const THUMBNAIL = 112;
/** Pictures whose preview follows a slider without a pause. */
const MOST_LIVE = 3000;
const PAUSE_MS = 150;

/**
 * Autotag: which tagger, what it says, and what becomes of the captions before anything is written.
 *
 * @fires captions-change - Captions were written; `detail` says in words what was done.
 */
@customElement("tl-autotag")
export class TlAutotag extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      summary {
        cursor: pointer;
        font-weight: 600;
      }
      details[open] > summary {
        margin-bottom: var(--tl-gap-large);
      }
      label.row {
        min-width: 0;
        max-width: 100%;
      }
      select {
        width: auto;
        min-width: 0;
        max-width: 100%;
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) datasetName = "";
  @property({ attribute: false }) scan!: Dataset;
  /** Ids of the pictures that the page shows; null: all. */
  @property({ attribute: false }) images: readonly string[] | null = null;
  @state() private _isOpen = false;
  @query("[name=offered]") private readonly _offered!: HTMLSelectElement | null;
  private readonly _autotag = new AutotagController(this);
  private _preview: AutotagPreview | null = null;
  private _previewOf: readonly unknown[] = [];
  private _pause: number | undefined;

  constructor() {
    super();
    new LocaleController(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this._pause);
  }

  override willUpdate(_changed: PropertyValues): void {
    const { options, scores } = this._autotag;
    const of = [this.scan, this.images?.join("\n"), options, scores];
    if (!this._isOpen || of.every((part, at) => part === this._previewOf[at])) return;
    clearTimeout(this._pause);
    const make = () => {
      this._previewOf = of;
      this._preview = this._makePreview();
    };
    const isLive = this._preview === null || this.scan.images.length <= MOST_LIVE;
    if (isLive) make();
    // A slider that is dragged over a very large data set must not wait for each of its steps.
    else
      this._pause = window.setTimeout(() => {
        make();
        this.requestUpdate();
      }, PAUSE_MS);
  }

  /** For the controller: the page reads the captions anew and says what was done. */
  onCaptions(done: string): void {
    this.dispatchEvent(new CustomEvent("captions-change", { detail: done }));
  }

  override render(): TemplateResult {
    const { list, action } = this._autotag;
    return html`<details class="panel" data-test="autotag" @toggle=${this._onToggle}>
      <summary>${t("autotag.title")}</summary>
      <div class="stack">
        <tl-failure .failure=${action.failure}></tl-failure>
        ${list === null ? html`<p class="subdued" role="status">${t("working.taggers")}</p>` : list.runtime.state === "ready" ? this._renderTaggers() : this._renderInstall()}
      </div>
    </details>`;
  }

  private _makePreview(): AutotagPreview | null {
    const { options, scores } = this._autotag;
    if (scores.images.size === 0) return null;
    const shown = this.images === null ? null : new Set(this.images);
    const images = this.scan.images.filter(({ id }) => shown?.has(id) ?? true);
    return previewAutotag(images, scores, { options, triggerWord: this.scan.triggerWord });
  }

  private _renderInstall(): TemplateResult {
    const isUnderWay = this._autotag.task !== undefined;
    return html`<p>${t(this._autotag.list?.runtime.state === "noTrainer" ? "autotag.noTrainer" : "autotag.noRuntime")}</p>
      <div class="row">
        <button class="primary" ?disabled=${this._locked || isUnderWay} data-test="install-tagger" @click=${() => this._autotag.install()}>${t("autotag.install")}</button>
        ${isUnderWay ? html`<span class="subdued fine">${t("autotag.underWay")}</span>` : nothing}
      </div>`;
  }

  private _renderTaggers(): TemplateResult {
    const { list, tagger, task, scores } = this._autotag;
    const isBusy = this._locked || task !== undefined;
    const known = this.scan.images.filter(({ id }) => scores.images.has(id)).length;
    return html`
      <div class="row">
        ${
          tagger === null
            ? html`<p class="grow">${t("autotag.noTagger")}</p>`
            : html`<label class="row">${t("autotag.tagger")}
                <select name="tagger" ?disabled=${isBusy} @change=${(event: Event & { currentTarget: HTMLSelectElement }) => this._autotag.choose(event.currentTarget.value)}>
                  ${list?.taggers.map(({ id, name, bytes, place }) => html`<option value=${id} ?selected=${id === tagger.id}>${t("autotag.taggerLine", { name, size: formatBytes(bytes), place: t(`autotag.place.${place}`) })}</option>`)}
                </select></label>
              <button class=${known < this.scan.images.length ? "primary" : ""} ?disabled=${isBusy} data-test="run-autotag" @click=${() => this._autotag.run()}>${t("autotag.run")}</button>
              <span class="number subdued" data-test="scored">${t("autotag.scored", { done: known, total: this.scan.images.length })}</span>`
        }
      </div>
      ${this._renderOffered(isBusy)}
      ${tagger === null || scores.images.size === 0 ? nothing : this._renderScores(tagger.id)}
    `;
  }

  private _renderOffered(isBusy: boolean): TemplateResult | typeof nothing {
    const { list } = this._autotag;
    if (!list || list.offered.length === 0) return nothing;
    return html`<div class="row">
      <label class="row">${t("autotag.more", { hub: list.hub })}
        <select name="offered" ?disabled=${isBusy}>${list.offered.map(({ repository, name, megabytes }) => html`<option value=${repository}>${t("autotag.offer", { name, size: formatBytes(megabytes * 1e6) })}</option>`)}</select></label>
      <button class="small" ?disabled=${isBusy} data-test="download-tagger" @click=${() => this._autotag.download(this._offered?.value ?? "")}>${t("autotag.download")}</button>
    </div>`;
  }

  private _renderScores(tagger: string): TemplateResult {
    const { options, scores, task } = this._autotag;
    const preview = this._preview ?? { changed: [], gained: [], lost: [], unscored: 0 };
    return html`
      <tl-autotag-options .options=${options} .categories=${categoriesOf(scores)} @options-change=${(event: CustomEvent<typeof options>) => this._autotag.change(event.detail)}></tl-autotag-options>
      <tl-autotag-preview .preview=${preview} .urlOf=${this._urlOf}></tl-autotag-preview>
      <div class="row">
        <button class="primary" ?disabled=${this._locked || task !== undefined || preview.changed.length === 0} data-test="apply-autotag" @click=${() => this._autotag.apply(this.images === null ? null : [...this.images])}>${t("autotag.apply", { n: preview.changed.length })}</button>
        <span class="subdued fine">${t(this.images === null ? "autotag.undoable" : "autotag.shownOnly")}</span>
      </div>
      <tl-disagreements .session=${this.session} .datasetName=${this.datasetName} .scan=${this.scan} .tagger=${tagger} .scores=${scores} ?disabled=${this._locked} .urlOf=${this._urlOf} @captions-change=${(event: CustomEvent<string>) => this.onCaptions(event.detail)}></tl-disagreements>
    `;
  }

  private readonly _urlOf = (id: string): string => {
    const image = this.scan.images.find((one) => one.id === id);
    return image ? imageUrl(this.session, this.datasetName, image, THUMBNAIL) : "";
  };

  private get _locked(): boolean {
    return this._autotag.action.running || !mayChange(this.state);
  }

  private _onToggle(event: Event & { currentTarget: HTMLDetailsElement }): void {
    this._isOpen = event.currentTarget.open;
    if (this._isOpen && this._autotag.list === null) void this._autotag.load();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-autotag": TlAutotag;
  }
}
