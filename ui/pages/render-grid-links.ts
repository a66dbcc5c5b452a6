import { html, nothing, type TemplateResult } from "lit";
import { hasEnded, type Job } from "../../protocol/job.js";
import { icon } from "../components/icon.js";
import { webuiFileUrl } from "../data/drawing.js";
import type { GridModel } from "../data/grid-model.js";
import { gridFileUrl } from "../data/grids.js";
import { reportUrl } from "../data/jobs.js";
import { type GridSource, routeHash, runRoute } from "../data/route.js";
import type { Session } from "../data/session.js";
import { t } from "../locales/locale.js";

/** The grid's sheet and report as files, and the way back to its run. */
export function renderGridLinks(session: Session, job: Job, source: GridSource): TemplateResult {
  const sheet = source === "webui" ? (job.webui?.sheet ?? null) : job.sheet;
  const urlOf = source === "webui" ? webuiFileUrl : gridFileUrl;
  return html`
    ${sheet === null ? nothing : html`<a class="button small" href=${urlOf(session, job.id, sheet)} target="_blank" rel="noopener" data-test="sheet">${t("grid.sheet")}</a>`}
    ${job.report === null ? nothing : html`<a class="button small" href=${reportUrl(session, job.id)} target="_blank" rel="noopener" data-test="report">${icon("file")}${t("run.report")}</a>`}
    <a class="button small" href=${routeHash(runRoute(job.id))}>${t("grid.run")}</a>
  `;
}

/** How much of the grid is drawn, and how many cells are starred. */
export function progressWords(job: Job, model: GridModel, stars: number): string {
  const isWhole = hasEnded(job) || model.drawn >= model.expected;
  const drawn = isWhole ? t("rail.cells", { n: model.drawn }) : t("grid.drawing", { drawn: model.drawn, n: model.expected });
  return stars > 0 ? `${drawn} · ${t("grid.starred", { n: stars })}` : drawn;
}
