import { html, type TemplateResult } from "lit";
import type { Route } from "../data/route.js";
import type { Session } from "../data/session.js";
import type { AppState } from "../data/store.js";
import "../pages/tl-datasets-page.js";
import "../pages/tl-grid-page.js";
import "../pages/tl-grids-page.js";
import "../pages/tl-loras-page.js";
import "../pages/tl-pictures-page.js";
import "../pages/tl-plan-page.js";
import "../pages/tl-run-page.js";
import "../pages/tl-runs-page.js";
import "../pages/tl-settings-page.js";
import "../pages/tl-tags-page.js";

/** The page of a route. */
export function renderPage(route: Route, session: Session, state: AppState): TemplateResult {
  switch (route.page) {
    case "datasets":
      return html`<tl-datasets-page .session=${session} .state=${state}></tl-datasets-page>`;
    case "dataset":
      return renderDatasetStep(route, session, state);
    case "runs":
      return html`<tl-runs-page .session=${session} .state=${state}></tl-runs-page>`;
    case "run":
      return html`<tl-run-page .session=${session} .state=${state} .jobId=${route.job} .epoch=${route.epoch}></tl-run-page>`;
    case "grids":
      return html`<tl-grids-page .session=${session} .state=${state}></tl-grids-page>`;
    case "grid":
      return html`<tl-grid-page .session=${session} .state=${state} .jobId=${route.job} .view=${route.view}></tl-grid-page>`;
    case "loras":
      return html`<tl-loras-page .session=${session} .state=${state} .file=${route.file}></tl-loras-page>`;
    case "settings":
      return html`<tl-settings-page .session=${session} .state=${state}></tl-settings-page>`;
    default: {
      const unknownRoute: never = route;
      return unknownRoute;
    }
  }
}

function renderDatasetStep(route: Extract<Route, { page: "dataset" }>, session: Session, state: AppState): TemplateResult {
  const { dataset, filter } = route;
  switch (route.step) {
    case "pictures":
      return html`<tl-pictures-page .session=${session} .state=${state} .datasetName=${dataset} .filter=${filter}></tl-pictures-page>`;
    case "tags":
      return html`<tl-tags-page .session=${session} .state=${state} .datasetName=${dataset} .filter=${filter}></tl-tags-page>`;
    case "plan":
      return html`<tl-plan-page .session=${session} .state=${state} .datasetName=${dataset}></tl-plan-page>`;
    default: {
      const unknownStep: never = route.step;
      return unknownStep;
    }
  }
}
