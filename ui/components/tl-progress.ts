import { css, html, LitElement, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { etaSeconds, hasEnded, type Job } from "../../protocol/job.js";
import { TrainerStage } from "../../protocol/trainer.js";
import { formatDuration, formatNumber, formatSmall } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** How far a run is, in words and as a bar, and how long it still takes. */
@customElement("tl-progress")
export class TlProgress extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: 6px;
      }
      p {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 2px var(--tl-gap-large);
      }
    `,
  ];

  @property({ attribute: false }) job: Job | null = null;
  /** Without pace and learning rate. */
  @property({ type: Boolean }) brief = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { job } = this;
    if (!job) return html``;
    const label = `${t(`status.${job.status}`)}: ${t("run.steps", { step: job.step, total: job.totalSteps })}`;
    return html`
      <p class="number"><span>${this._words(job).join(" · ")}</span><span class="subdued">${this._timeWords(job)}</span></p>
      <progress aria-label=${label} max=${Math.max(1, job.totalSteps)} .value=${job.step}></progress>
      ${job.stage && !this.brief ? html`<p role="status" class="subdued number" data-test="stage">${stageWords(job.stage)}</p>` : ""}
    `;
  }

  private _words(job: Job): string[] {
    const words = [t(`status.${job.status}`)];
    if (job.parked) words.push(t("gpu.parked"));
    if (job.step > 0 || job.status === "running") words.push(t("run.steps", { step: job.step, total: job.totalSteps }));
    if (job.epoch > 0) words.push(t("run.epoch", { epoch: job.epoch, epochs: job.epochs }));
    if (!this.brief && job.status === "running" && job.secondsPerStep > 0) {
      words.push(
        job.secondsPerStep < 1
          ? t("run.perSecond", { n: formatNumber(1 / job.secondsPerStep, 1) })
          : t("run.perStep", { n: formatNumber(job.secondsPerStep, 1) }),
      );
      words.push(t("run.learningRate", { rate: formatSmall(job.learningRate) }));
    }
    return words;
  }

  private _timeWords(job: Job): string {
    const eta = etaSeconds(job);
    if (eta !== null) return t("run.left", { time: formatDuration(eta) });
    if (hasEnded(job) && job.startedAt !== null && job.endedAt !== null)
      return t("run.took", { time: formatDuration((job.endedAt - job.startedAt) / 1000) });
    return "";
  }
}

/** What is being done besides steps, in words. */
function stageWords({ name, done, total }: NonNullable<Job["stage"]>): string {
  const stage = TrainerStage.options.find((known) => known === name);
  const words = stage ? t(`stage.${stage}`) : name;
  return total > 1 ? t("run.stage", { stage: words, done, total }) : words;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-progress": TlProgress;
  }
}
