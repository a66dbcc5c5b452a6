import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { PlanWarning } from "../../protocol/plan.js";
import { Settings } from "../../protocol/settings.js";
import type { SettingsImport } from "../../protocol/settings-import.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-balance-board.js";
import "../components/tl-failure.js";
import "../components/tl-grid-settings.js";
import "../components/tl-held-out.js";
import "../components/tl-plan-figures.js";
import type { SettingChange } from "../components/tl-setting.js";
import "../components/tl-network-support.js";
import "../components/tl-settings.js";
import type { SettingsSource } from "../components/tl-settings-import.js";
import "../components/tl-settings-import.js";
import "../components/tl-strength.js";
import type { AllSubsetSettings } from "../components/tl-subset-settings.js";
import "../components/tl-subset-settings.js";
import type { SubsetShares } from "../components/tl-subset-shares.js";
import "../components/tl-subset-shares.js";
import { mayChange } from "../data/access.js";
import { enqueue } from "../data/jobs.js";
import { modelKindName } from "../data/model-kind-name.js";
import { draftKey, type PlanDraft, parseDraft, withSetting } from "../data/plan-draft.js";
import { readPreference, writePreference } from "../data/preferences.js";
import { routeHash, runRoute } from "../data/route.js";
import type { Session } from "../data/session.js";
import { fieldOf, mainSettings } from "../data/setting-fields.js";
import { importSettings, withImported } from "../data/settings-import.js";
import { type AppState, emptyState } from "../data/store.js";
import { loadedCheckpoint } from "../data/webui-state.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { DatasetEditor } from "./dataset-editor.js";
import { PlanController } from "./plan-controller.js";
import { planPageStyles } from "./tl-plan-page.styles.js";
import { warningTarget } from "./warning-target.js";

/** Step 3: the few settings that matter on the left, what they come to on the right. */
@customElement("tl-plan-page")
export class TlPlanPage extends LitElement {
  static override styles = [text, controls, planPageStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) datasetName = "";
  @state() private _draft: PlanDraft = { baseModel: "", settings: {} };
  private readonly _plan = new PlanController(this);
  private readonly _editor = new DatasetEditor(this);
  @state() private _imported: SettingsImport | null = null;
  private readonly _action = new ActionController(this);
  private readonly _import = new ActionController(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("datasetName")) this._draft = parseDraft(readPreference(draftKey(this.datasetName)));
    const models = this.state.snapshot?.baseModels ?? [];
    const first = models[0];
    if (first && !models.some((model) => model.name === this._draft.baseModel)) this._draft = { ...this._draft, baseModel: first.name };
    if (this.state.status !== "connected") this._plan.forget();
    else if (this._draft.baseModel) this._plan.ask(this.session, this.datasetName, this._draft, this._editor.ready);
  }

  override render(): TemplateResult {
    if (this.state.snapshot?.baseModels.length === 0) return html`<h1>${t("step.plan")}</h1><p>${t("plan.noBaseModel")}</p>`;
    return html`<h1 class="visually-hidden">${t("step.plan")}</h1>
      <div class="halves">
        <section class="stack" aria-label=${t("plan.settings")}>${this._renderMain()} ${this._renderAll()} ${this._renderImport()}</section>
        <section class="figures stack" aria-label=${t("plan.computed")} aria-busy=${this._plan.pending}>${this._renderFigures()}</section>
      </div>`;
  }

  private get _values(): Settings {
    const computed = this._plan.plan?.settings;
    return Settings.parse({ ...computed, ...this._draft.settings, grid: computed?.grid ?? this._draft.settings.grid });
  }

  private _renderMain(): TemplateResult {
    const values = this._values;
    const loaded = loadedCheckpoint(this.state.snapshot?.host ?? null);
    return html`
      <label class="field"><span>${t("plan.baseModel")}</span>
        <select data-test="base-model" @change=${(event: Event & { currentTarget: HTMLSelectElement }) => this._keep({ ...this._draft, baseModel: event.currentTarget.value })}>
          ${this.state.snapshot?.baseModels.map(({ name, resolution, ...model }) => html`<option value=${name} ?selected=${name === this._draft.baseModel}>${t(name === loaded ? "plan.loadedMark" : "plan.baseModelOption", { name, resolution, kind: modelKindName(model) })}</option>`)}
        </select>
        ${loaded === null || loaded === this._draft.baseModel ? nothing : html`<span class="subdued fine" data-test="not-loaded">${t("plan.notLoaded", { loaded, name: this._draft.baseModel })}</span>`}</label>
      <fieldset>
        <legend>${t("setting.subject")}</legend>
        ${Settings.shape.subject
          .unwrap()
          .options.map(
            (option) =>
              html`<label class="choice"><input type="radio" name="subject" value=${option} .checked=${values.subject === option} @change=${() => this._set({ key: "subject", value: option })} />${t(`subject.${option}`)}</label>`,
          )}
      </fieldset>
      <div class="fields">
        ${mainSettings.map((key) => html`<tl-setting .field=${fieldOf(key) ?? null} .value=${values[key]} ?chosen=${key in this._draft.settings} @setting-change=${this._onChange}></tl-setting>`)}
      </div>
      <tl-subset-shares .plan=${this._plan.plan} .shares=${values.subsetShares} @shares-change=${(event: CustomEvent<SubsetShares>) => this._set({ key: "subsetShares", value: event.detail })}></tl-subset-shares>
      <tl-strength .unetLr=${values.unetLr} .textEncoderLr=${values.textEncoderLr ?? 0} .alpha=${values.networkAlpha} .dim=${values.networkDim}></tl-strength>
    `;
  }

  private _renderAll(): TemplateResult {
    return html`<tl-settings .values=${this._values} .draft=${this._draft.settings} @setting-change=${this._onChange}>
      <tl-subset-settings .subsets=${this._subsets} .values=${this._values} .own=${this._values.subsetSettings} @subsets-change=${this._onSubsets}></tl-subset-settings>
      <tl-grid-settings .settings=${this._values.grid} @grid-change=${(event: CustomEvent<object>) => this._set({ key: "grid", value: { ...this._draft.settings.grid, ...event.detail } })}></tl-grid-settings>
      <tl-network-support slot="network" .chosen=${this._values.networkType} .webui=${this.state.snapshot?.host?.facts ?? null}></tl-network-support>
    </tl-settings>`;
  }

  private get _subsets(): string[] {
    return [...new Set(this._plan.plan?.images.map(({ subset }) => subset))].sort();
  }

  private _renderImport(): TemplateResult {
    return html`<tl-settings-import .report=${this._imported} ?disabled=${this._import.running} @settings-import=${this._onImport}></tl-settings-import>
      <tl-failure .failure=${this._import.failure}></tl-failure>`;
  }

  private _renderFigures(): TemplateResult {
    const { plan, failure, pending } = this._plan;
    return html`
      <tl-failure .failure=${failure ?? this._action.failure}></tl-failure>
      ${plan || failure ? nothing : html`<p class="subdued" role="status">${t("plan.computing")}</p>`}
      <tl-plan-figures class=${pending ? "pending" : ""} .plan=${plan} .urlOf=${(id: string) => this._editor.urlOf(id, 160)} @plan-jump=${this._onJump}></tl-plan-figures>
      <tl-held-out .plan=${plan} .chosen=${this._draft.settings.heldOutPictures ?? []} .urlOf=${(id: string) => this._editor.urlOf(id, 160)} @held-out-change=${(event: CustomEvent<string[]>) => this._set({ key: "heldOutPictures", value: event.detail })}></tl-held-out>
      <tl-balance-board .scan=${this._editor.ready}></tl-balance-board>
      <div class="row go">
        <button class="primary big" ?disabled=${!plan || failure !== null || this._action.running || !mayChange(this.state)} data-test="enqueue" @click=${this._onEnqueue}>${t("plan.enqueue")}</button>
        <span class="subdued fine" role="status">${this._action.running ? t("plan.enqueueing") : pending ? t("plan.computing") : ""}</span>
      </div>
    `;
  }

  private _onSubsets({ detail }: CustomEvent<AllSubsetSettings>): void {
    this._set({ key: "subsetSettings", value: Object.keys(detail).length > 0 ? detail : undefined });
  }

  private _onChange(event: CustomEvent<SettingChange>): void {
    this._set(event.detail);
  }

  private async _onImport({ detail }: CustomEvent<SettingsSource>): Promise<void> {
    const report = await this._import.run("import", () => importSettings(this.session, detail.name, detail.content));
    if (!report) return;
    this._imported = report;
    this._keep(withImported(this._draft, report));
  }

  private _set({ key, value }: SettingChange): void {
    this._keep(withSetting(this._draft, key, value));
  }

  private _keep(draft: PlanDraft): void {
    this._draft = draft;
    writePreference(draftKey(this.datasetName), JSON.stringify(draft));
  }

  private _onJump(event: CustomEvent<PlanWarning>): void {
    const target = warningTarget(event.detail, this.datasetName);
    if (target.kind === "route") location.hash = routeHash(target.route);
    else void this._focusSetting(target.key);
  }

  private async _focusSetting(key: string): Promise<void> {
    const holders = [this.renderRoot, this.renderRoot.querySelector("tl-settings")?.renderRoot];
    const folded = this.renderRoot.querySelector("tl-settings")?.renderRoot.querySelector("details");
    if (folded && mainSettings.every((main) => main !== key)) folded.open = true;
    await this.updateComplete;
    for (const root of holders)
      for (const setting of root?.querySelectorAll("tl-setting") ?? [])
        if (setting.field?.key === key) setting.renderRoot.querySelector<HTMLElement>("input, select")?.focus();
  }

  private async _onEnqueue(): Promise<void> {
    const queued = await this._action.run("enqueue", () => enqueue(this.session, this.datasetName, this._draft));
    if (queued) location.hash = routeHash(runRoute(queued.job));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-plan-page": TlPlanPage;
  }
}
