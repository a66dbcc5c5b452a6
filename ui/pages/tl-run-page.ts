import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Job } from "../../protocol/job.js";
import type { Plan } from "../../protocol/plan.js";
import { ActionController } from "../components/action-controller.js";
import { copyText } from "../components/copy-text.js";
import { customElement } from "../components/custom-element.js";
import { icon } from "../components/icon.js";
import "../components/tl-epoch-row.js";
import "../components/tl-failure.js";
import "../components/tl-log.js";
import "../components/tl-loss-chart.js";
import "../components/tl-progress.js";
import "../components/tl-run-asks.js";
import "../components/tl-verdict.js";
import { mayChange } from "../data/access.js";
import {
  askJob,
  controlJob,
  controlsFor,
  extendJob,
  type JobAsk,
  type JobControl,
  readLog,
  readPlan,
  reportUrl,
  sampleUrl,
} from "../data/jobs.js";
import { gridRoute, routeHash, runRoute } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { formatWeight } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { epochFacts } from "./epoch-facts.js";
import { runPageStyles } from "./tl-run-page.styles.js";

const controlTests: Record<JobControl, string> = { pauseJob: "pause", resumeJob: "resume", stopJob: "stop" };

/** Step 4: one run while it goes on and afterwards. */
@customElement("tl-run-page")
export class TlRunPage extends LitElement {
  static override styles = [text, controls, runPageStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) jobId = "";
  @property({ attribute: false }) epoch: number | null = null;
  @state() private _plan: Plan | null = null;
  @state() private _log: string | null = null;
  @state() private _copied = "";
  private readonly _action = new ActionController(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("jobId")) return;
    this._plan = null;
    this._log = null;
    void this._readPlan(this.jobId);
  }

  override render(): TemplateResult {
    const job = this.state.snapshot?.jobs.find((one) => one.id === this.jobId);
    if (!job) return html`<h1>${t("run.missing")}</h1><p><a href=${routeHash({ page: "runs" })}>${t("run.all")}</a></p>`;
    return html`
      <header>
        <div><h1 class="break">${job.name}</h1><p class="subdued">${t("run.from", { dataset: job.dataset, baseModel: job.baseModel })}</p></div>
        <div class="row">${controlsFor(job)
          .filter((control) => control !== "resumeJob" || job.status !== "failed")
          .map((control) => this._renderControl(control, job))}</div>
      </header>
      <tl-progress .job=${job}></tl-progress>
      ${this._renderFailure(job)}
      <tl-failure .failure=${this._action.failure}></tl-failure>
      ${job.verdict ? html`<tl-verdict .verdict=${job.verdict} brief></tl-verdict>` : nothing}
      ${this._renderLinks(job)}
      ${job.warnings.length > 0 ? html`<ul class="warnings">${job.warnings.map((words) => html`<li><span class="warning">${icon("warning")}</span> ${words}</li>`)}</ul>` : nothing}
      <tl-loss-chart .losses=${job.losses} .evaluations=${job.evaluations} .verdict=${job.verdict}></tl-loss-chart>
      ${this._renderAsks(job)}
      ${this._renderEpochs(job)}
      <tl-log .content=${this._log} @log-open=${this._onLog}></tl-log>
    `;
  }

  private _renderControl(control: JobControl, job: Job): TemplateResult {
    return html`<button class=${control === "resumeJob" ? "primary" : ""} ?disabled=${this._action.running || !mayChange(this.state)} title=${t(`${control}.help`)} data-test=${controlTests[control]} @click=${() => this._action.run(control, () => controlJob(this.session, control, job.id))}>${t(`${control}.button`)}</button>`;
  }

  private _renderFailure(job: Job): TemplateResult | typeof nothing {
    return job.failure && job.status === "failed"
      ? html`<tl-failure .failure=${job.failure}><button class="small primary" ?disabled=${!mayChange(this.state)} data-test="resume" @click=${() => this._action.run("resume", () => controlJob(this.session, "resumeJob", job.id))}>${t("resumeJob.button")}</button></tl-failure>`
      : nothing;
  }

  private _renderLinks(job: Job): TemplateResult {
    return html`<div class="row">
      ${job.cells.length > 0 ? html`<a class="button primary" href=${routeHash(gridRoute(job.id))} data-test="open-grid">${t("run.openGrid")}</a>` : nothing}
      ${job.report === null ? nothing : html`<a class="button" href=${reportUrl(this.session, job.id)} target="_blank" rel="noopener" data-test="report">${icon("file")}${t("run.report")}</a>`}
    </div>`;
  }

  private _renderAsks(job: Job): TemplateResult | typeof nothing {
    if (job.status === "queued" || job.status === "preparing" || this._plan?.settings.engine === "kohya") return nothing;
    const samples = job.samples.map(({ step, prompt, file }) => ({
      step,
      url: sampleUrl(this.session, job.id, file),
      prompt: this._plan?.settings.grid.prompts[prompt] ?? "",
    }));
    return html`<tl-run-asks
      ?running=${job.status === "running"}
      ?disabled=${this._action.running || !mayChange(this.state)}
      .saves=${job.extraSaves}
      .samples=${samples}
      @run-ask=${(event: CustomEvent<JobAsk>) => this._action.run("ask", () => askJob(this.session, job.id, event.detail))}
      @run-extend=${(event: CustomEvent<number>) => this._action.run("extend", () => extendJob(this.session, job.id, event.detail))}
    ></tl-run-asks>`;
  }

  private _renderEpochs(job: Job): TemplateResult {
    const weights = this._plan?.settings.grid.weights ?? [
      ...new Set(job.cells.filter((cell) => cell.epoch > 0).map((cell) => cell.weight)),
    ];
    const saves = [...job.saves].sort((a, b) => b.epoch - a.epoch);
    const selected = this.epoch ?? job.verdict?.epoch ?? saves[0]?.epoch ?? null;
    return html`<section class="stack" aria-labelledby="epochs">
      <h2 id="epochs">${t("run.epochs", { saved: saves.length, n: job.epochs })}</h2>
      ${
        saves.length === 0
          ? html`<p class="subdued">${t("run.noEpochs")}</p>`
          : html`<div role="radiogroup" aria-labelledby="epochs">${repeat(
              saves,
              (save) => save.epoch,
              (
                save,
              ) => html`<tl-epoch-row .facts=${epochFacts(this.session, job, save, weights)} ?selected=${save.epoch === selected} @epoch-select=${(event: CustomEvent<number>) => this._select(event.detail)}>
                ${save.epoch === selected ? this._renderUse(save.file, job) : nothing}
              </tl-epoch-row>`,
            )}</div>`
      }
    </section>`;
  }

  private _renderUse(file: string, job: Job): TemplateResult {
    const weight = job.verdict?.weight ?? 1;
    const tag = `<lora:${file.replace(/\.safetensors$/, "")}:${formatWeight(weight).replace(",", ".")}>`;
    return html`<div class="use row">
      <span class="subdued">${t("run.use")}</span> <code class="break">${tag}</code>
      <button class="small" @click=${async () => (this._copied = (await copyText(tag, this)) ? tag : "")}>${this._copied === tag ? t("failure.copied") : t("run.copyTag")}</button>
      <a href=${routeHash({ page: "loras", file })}>${t("run.inspect")}</a>
    </div>`;
  }

  private _select(epoch: number): void {
    location.replace(routeHash(runRoute(this.jobId, epoch)));
  }

  private async _readPlan(id: string): Promise<void> {
    const plan = await readPlan(this.session, id).catch(() => null); // a run without a readable plan still has its events
    if (id === this.jobId) this._plan = plan;
  }

  private async _onLog(): Promise<void> {
    this._log = (await this._action.run("log", () => readLog(this.session, this.jobId))) ?? this._log;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-run-page": TlRunPage;
  }
}
