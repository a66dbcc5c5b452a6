import { css, html, LitElement, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { Job } from "../../protocol/job.js";
import { customElement } from "../components/custom-element.js";
import { gridFileUrl } from "../data/grids.js";
import { gridRoute, routeHash } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState, jobsOf } from "../data/store.js";
import { formatTime, formatWeight } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/** All grids, each by its best cell. */
@customElement("tl-grids-page")
export class TlGridsPage extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap-large);
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(240px, 100%), 320px));
        gap: var(--tl-gap-huge) var(--tl-gap-large);
      }
      a {
        display: grid;
        gap: 4px;
        color: inherit;
        text-decoration: none;
      }
      a:hover strong {
        text-decoration: underline;
      }
      img {
        width: 100%;
        aspect-ratio: 1;
        object-fit: cover;
        border: 1px solid var(--tl-border);
        border-radius: var(--tl-radius);
        background: var(--tl-surface);
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
    const jobs = jobsOf(this.state).filter((job) => job.cells.length > 0);
    return html`<h1>${t("nav.grids")}</h1>
      ${jobs.length === 0 ? html`<p>${t("grids.empty")}</p>` : html`<ul>${jobs.map((job) => this._renderJob(job))}</ul>`}`;
  }

  private _renderJob(job: Job): TemplateResult {
    const { verdict } = job;
    const best = job.cells.find((cell) => cell.epoch === verdict?.epoch && cell.weight === verdict.weight) ?? job.cells.at(-1);
    return html`<li><a href=${routeHash(gridRoute(job.id))} data-test="grid" data-job=${job.id}>
      ${best ? html`<img src=${gridFileUrl(this.session, job.id, best.file, 512)} alt="" loading="lazy" />` : ""}
      <strong class="break">${job.name}</strong>
      <span class=${verdict ? "good fine" : "subdued fine"}>${verdict ? t("grids.verdict", { epoch: verdict.epoch, weight: formatWeight(verdict.maxWeight) }) : t("rail.cells", { n: job.cells.length })}</span>
      <span class="subdued fine">${formatTime(job.createdAt)}</span>
    </a></li>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-grids-page": TlGridsPage;
  }
}
