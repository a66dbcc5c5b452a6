import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { hasEnded, type Job } from "../../protocol/job.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-progress.js";
import { gridFileUrl } from "../data/grids.js";
import { routeHash, runRoute } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState, jobsOf } from "../data/store.js";
import { formatTime, formatWeight } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/** All runs, those that are not over first. */
@customElement("tl-runs-page")
export class TlRunsPage extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap-large);
        max-width: 1100px;
        margin-inline: auto;
      }
      a {
        display: grid;
        grid-template-columns: 64px minmax(0, 1fr) minmax(0, 1.2fr);
        align-items: center;
        gap: 4px var(--tl-gap-large);
        padding: 10px;
        border-bottom: 1px solid var(--tl-border);
        color: inherit;
        text-decoration: none;
      }
      a:hover {
        background: var(--tl-tint);
      }
      img,
      .blank {
        width: 64px;
        height: 64px;
        border-radius: var(--tl-radius-small);
        object-fit: cover;
        background: var(--tl-surface);
      }
      @media (max-width: 640px) {
        a {
          grid-template-columns: 64px minmax(0, 1fr);
        }
        .how {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const jobs = jobsOf(this.state);
    const sorted = [...jobs.filter((job) => !hasEnded(job)), ...jobs.filter(hasEnded)];
    return html`<h1>${t("nav.runs")}</h1>
      ${
        sorted.length === 0
          ? html`<p>${t("runs.empty")} <a href=${routeHash({ page: "datasets" })} style="display: inline; padding: 0; border: 0; color: var(--tl-link)">${t("nav.datasets")}</a></p>`
          : html`<ul>${repeat(
              sorted,
              (job) => job.id,
              (job) => this._renderJob(job),
            )}</ul>`
      }`;
  }

  private _renderJob(job: Job): TemplateResult {
    const best = job.cells.find((cell) => cell.epoch === job.verdict?.epoch && cell.weight === job.verdict.weight) ?? job.cells.at(-1);
    return html`<li><a href=${routeHash(runRoute(job.id))} data-test="run" data-job=${job.id}>
      ${best ? html`<img src=${gridFileUrl(this.session, job.id, best.file, 128)} alt="" loading="lazy" />` : html`<span class="blank"></span>`}
      <span><strong class="break">${job.name}</strong><br /><span class="subdued fine">${formatTime(job.createdAt)}</span></span>
      <span class="how">
        <tl-progress .job=${job} brief></tl-progress>
        ${job.verdict ? html`<span class="good fine">${t("grids.verdict", { epoch: job.verdict.epoch, weight: formatWeight(job.verdict.maxWeight) })}</span>` : nothing}
        ${job.failure && job.status === "failed" ? html`<span class="danger fine">${t(`error.${job.failure.code}`)}</span>` : nothing}
      </span>
    </a></li>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-runs-page": TlRunsPage;
  }
}
