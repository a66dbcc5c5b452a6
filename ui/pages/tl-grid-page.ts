import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { Cell } from "../../protocol/grid.js";
import type { Job } from "../../protocol/job.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-cell-details.js";
import "../components/tl-verdict.js";
import "../components/tl-xyz-grid.js";
import type { Selection, TlXyzGrid } from "../components/tl-xyz-grid.js";
import { mayChange } from "../data/access.js";
import { webuiFileUrl } from "../data/drawing.js";
import { cellAt, type GridModel, gridModel, noLora, type Place, placeKey, samePlace } from "../data/grid-model.js";
import { gridFileUrl } from "../data/grids.js";
import { readStars, writeStars } from "../data/preferences.js";
import { firstView, type GridSource, type GridView, gridRoute, routeHash } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { webuiGridModel } from "../data/webui-grid-model.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { BlinkController } from "./blink-controller.js";
import { cellFacts } from "./cell-facts.js";
import { GridController } from "./grid-controller.js";
import { firstSelection, selectionAt, selectionOf } from "./grid-selection.js";
import { progressWords, renderGridLinks } from "./render-grid-links.js";
import "./tl-cell-actions.js";
import { gridPageStyles } from "./tl-grid-page.styles.js";
import "./tl-webui-tools.js";

/** What each key does; the digits choose a seed. */
const keyActs: Record<string, string> = { c: "compare", b: "blink", s: "star", p: "pin", h: "heat", escape: "close" };

/** Step 5: every epoch at every weight, and which of them to take. */
@customElement("tl-grid-page")
export class TlGridPage extends LitElement {
  static override styles = [text, controls, gridPageStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) jobId = "";
  @property({ attribute: false }) view: GridView = firstView;
  @state() private _selection: Selection | null = null;
  @state() private _prompt = 0;
  @state() private _seedIndex = 0;
  @state() private _open = false;
  @state() private _comparing = false;
  @state() private _heat = false;
  @state() private _pinned: Place = noLora;
  @state() private _stars: ReadonlySet<string> = new Set();
  @state() private _outlined: readonly Place[] = [];
  @query("tl-xyz-grid") private readonly _gridElement!: TlXyzGrid | null;
  private readonly _blink = new BlinkController(this);
  private readonly _files = new GridController(this);

  constructor() {
    super();
    new LocaleController(this);
    this.addEventListener("keydown", this._onKeydown);
  }

  protected override willUpdate(changed: PropertyValues): void {
    const job = this._job;
    if (changed.has("jobId")) this._stars = readStars(this.jobId);
    if (job && this.state.status === "connected") this._files.follow(this.session, job);
    if (changed.has("view") || changed.has("jobId")) this._takeView();
  }

  protected override firstUpdated(): void {
    void this._gridElement?.focusSelected();
  }

  override render(): TemplateResult {
    const job = this._job;
    if (!job) return html`<h1>${t("run.missing")}</h1><p><a href=${routeHash({ page: "grids" })}>${t("nav.grids")}</a></p>`;
    const model = this._model(job);
    const selection = this._selectionIn(model);
    return html`
      <h1 class="visually-hidden">${t("grid.title", { name: job.name })}</h1>
      <tl-verdict .verdict=${job.verdict} @verdict-point=${(event: CustomEvent<Place[]>) => (this._outlined = event.detail)} @verdict-go=${(event: CustomEvent<Place>) => this._go(model, event.detail)}></tl-verdict>
      ${this._renderTools(job, model)} ${this._renderWebui(job)}
      <div class="body ${this._open ? "open" : ""}" style=${`--ratio: ${model.width} / ${model.height}`}>
        <tl-xyz-grid
          .model=${model} .prompt=${this._prompt} .seed=${this._seed(model)} .selection=${selection}
          .look=${{ heat: this._heat, stars: this._stars, outlined: this._outlined, pinned: this._pinned, showBase: this._blink.showBase }}
          .urlOf=${(cell: Cell, size?: number) => this._urlOf(job, cell, size)}
          @cell-select=${(event: CustomEvent<Selection>) => this._select(event.detail)} @cell-open=${this._onOpen}
        ></tl-xyz-grid>
        ${this._open ? this._renderDetails(job, model, selection) : nothing}
      </div>
    `;
  }

  private get _job(): Job | undefined {
    return this.state.snapshot?.jobs.find((one) => one.id === this.jobId);
  }

  private _model(job: Job): GridModel {
    const { plan, grid } = this._files;
    return this.view.source === "webui" ? webuiGridModel(job, plan) : gridModel(job, plan, grid);
  }

  private _urlOf(job: Job, cell: Cell, size?: number): string {
    return (this.view.source === "webui" ? webuiFileUrl : gridFileUrl)(this.session, job.id, cell.file, size);
  }

  // A grid that the WebUI drew once is shown without it too; what needs it is not.
  private _renderWebui(job: Job): TemplateResult | typeof nothing {
    const host = this.state.snapshot?.host ?? null;
    if (host === null && job.webui === null) return nothing;
    return html`<div class="webui">
      <div class="sources" role="group" aria-label=${t("draw.source")}>
        ${(["preview", "webui"] as const).map((source) => html`<button class="small" aria-pressed=${this.view.source === source} data-test="source-${source}" @click=${() => this._showSource(source)}>${t(`draw.${source}`)}</button>`)}
      </div>
      <tl-webui-tools .session=${this.session} .host=${host} .job=${job} .plan=${this._files.plan} ?locked=${!mayChange(this.state)} @drawing-start=${() => this._showSource("webui")}></tl-webui-tools>
      ${this.view.source === "webui" && job.webui === null ? html`<p class="subdued">${t("draw.empty")}</p>` : nothing}
    </div>`;
  }

  private _showSource(source: GridSource): void {
    const { epoch, weight } = this._selection?.place ?? { epoch: null, weight: null };
    location.replace(routeHash(gridRoute(this.jobId, { source, epoch, weight, seed: this._seedIndex })));
  }

  private _renderTools(job: Job, model: GridModel): TemplateResult {
    return html`<div class="tools">
      <div class="tabs" role="tablist" aria-label=${t("grid.prompts")}>
        ${model.prompts.map((prompt, index) => html`<button role="tab" aria-selected=${index === this._prompt} title=${prompt} @click=${() => (this._prompt = index)}>${prompt}</button>`)}
      </div>
      ${
        model.seeds.length > 1
          ? html`<label class="seeds">${t("grid.seedOf", { seed: this._seed(model) })}<input type="range" min="0" max=${model.seeds.length - 1} .value=${String(this._seedIndex)} aria-valuetext=${String(this._seed(model))} @input=${(event: InputEvent & { currentTarget: HTMLInputElement }) => (this._seedIndex = event.currentTarget.valueAsNumber)} /></label>`
          : nothing
      }
      <button class="small" aria-pressed=${this._heat} title=${t("grid.heatHelp")} @click=${() => (this._heat = !this._heat)}>${t("grid.heat")} <kbd>H</kbd></button>
      <span class="subdued fine number grow" role="status">${progressWords(job, model, this._stars.size)}</span>
      ${renderGridLinks(this.session, job, this.view.source)}
      <p class="keys subdued fine">${t("grid.keys")}</p>
    </div>`;
  }

  private _renderDetails(job: Job, model: GridModel, { place }: Selection): TemplateResult {
    const urlOf = (cell: Cell) => this._urlOf(job, cell);
    const base = cellAt(model, noLora, this._prompt, this._seed(model));
    const { _prompt: prompt, _pinned: pinned, _stars: stars, _files: files } = this;
    const seed = this._seed(model);
    const facts = cellFacts({ job, model, files, source: this.view.source, prompt, seed, pinned, stars, urlOf }, place);
    return html`<tl-cell-details .facts=${facts} ?comparing=${this._comparing} ?blinking=${this._blink.on} .blinkUrl=${this._blink.showBase && base ? urlOf(base) : null} @details-act=${(event: CustomEvent<string>) => this._act(event.detail)}>
      <tl-cell-actions .session=${this.session} .host=${this.state.snapshot?.host ?? null} .job=${job} .cell=${{ ...place, prompt, seed }} .source=${this.view.source} ?locked=${!mayChange(this.state)}></tl-cell-actions>
    </tl-cell-details>`;
  }

  private _seed(model: GridModel): number {
    return model.seeds[Math.min(this._seedIndex, model.seeds.length - 1)] ?? 0;
  }

  private _takeView(): void {
    const { prompt, seed } = this.view;
    this._prompt = prompt;
    this._seedIndex = seed;
    this._selection = selectionOf(this.view);
  }

  private _selectionIn(model: GridModel): Selection {
    return this._selection ?? firstSelection(model);
  }

  private _go(model: GridModel, place: Place): void {
    this._select(selectionAt(model, place));
    void this._gridElement?.focusSelected();
  }

  private _onOpen(event: CustomEvent<Selection>): void {
    this._open = true;
    this._select(event.detail);
    void this._reveal();
  }

  // Where there is no room beside the grid, the details stand above it.
  private async _reveal(): Promise<void> {
    await this.updateComplete;
    if (matchMedia("(max-width: 900px)").matches) this.renderRoot.querySelector("tl-cell-details")?.scrollIntoView({ block: "start" });
  }

  private _select(selection: Selection): void {
    this._selection = selection;
    const { epoch, weight } = selection.place;
    history.replaceState(
      history.state,
      "",
      routeHash(gridRoute(this.jobId, { source: this.view.source, epoch, weight, prompt: this._prompt, seed: this._seedIndex })),
    );
  }

  private _onKeydown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keyActs[event.key.toLowerCase()];
    if (act) this._act(act);
    else if (/^[1-9]$/.test(event.key))
      this._seedIndex = Math.min(Number(event.key) - 1, (this._files.plan?.settings.grid.seeds.length ?? 1) - 1);
    else return;
    event.preventDefault();
  }

  private _act(act: string): void {
    const job = this._job;
    if (!job) return;
    const { place } = this._selectionIn(this._model(job));
    if (act === "heat") this._heat = !this._heat;
    if (act === "star") this._toggleStar(place);
    if (act === "pin") this._pinned = samePlace(this._pinned, place) ? noLora : place;
    if (act === "blink") this._blink.toggle();
    if (act === "compare") {
      this._comparing = !(this._comparing && this._open);
      this._open = true;
    }
    if (act === "close") {
      this._open = false;
      void this._gridElement?.focusSelected();
    }
  }

  private _toggleStar(place: Place): void {
    const key = placeKey(place);
    this._stars = new Set(this._stars.has(key) ? [...this._stars].filter((one) => one !== key) : [...this._stars, key]);
    writeStars(this.jobId, this._stars);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-grid-page": TlGridPage;
  }
}
