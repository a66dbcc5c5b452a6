import { html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { customElement } from "../components/custom-element.js";
import { icon } from "../components/icon.js";
import { type NextStep, type Rail, type RailStep, railOf, railPlace, type StepId, type StepState } from "../data/rail.js";
import { datasetRoute, type Route, routeHash } from "../data/route.js";
import { type AppState, emptyState } from "../data/store.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { railStyles } from "./tl-rail.styles.js";

/** The numbered way of one data set: what each step still misses, and the one next sensible thing. Empty on other pages. */
@customElement("tl-rail")
export class TlRail extends LitElement {
  static override styles = [text, controls, railStyles];

  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) route: Route = { page: "datasets" };

  constructor() {
    super();
    new LocaleController(this);
  }

  // On a narrow screen the steps scroll sideways; the one in sight must be among those shown.
  protected override updated(): void {
    const list = this.renderRoot.querySelector("ol");
    const current = list?.querySelector<HTMLElement>("[aria-current]");
    if (list && current) list.scrollLeft = current.offsetLeft - list.offsetLeft - (list.clientWidth - current.offsetWidth) / 2;
  }

  override render(): TemplateResult {
    const here = railPlace(this.route, this.state.snapshot);
    if (!here) return html``;
    const scan = this.state.scans[here.dataset];
    const rail = railOf(here, scan?.state === "ready" ? scan.dataset : null, this.state.snapshot?.jobs ?? []);
    return html`<nav aria-label=${t("rail.label", { name: rail.dataset })}>
      <a class="name" href=${routeHash(datasetRoute(rail.dataset))}>${rail.dataset}</a>
      <ol>
        ${rail.steps.map((step, index) => renderStep(step, index + 1, here.step))}
      </ol>
      ${renderNext(rail)}
    </nav>`;
  }
}

function renderStep(step: RailStep, number: number, current: StepId): TemplateResult {
  const inside = html`<span class="disc ${step.done ? "done" : ""}">${step.done ? icon("check") : number}</span>
    <span class="words"><span class="title">${t(`step.${step.id}`)}</span><span class="state ${toneOf(step.state)}">${stateWords(step.state)}</span></span>`;
  return html`<li>
    ${
      step.route
        ? html`<a href=${routeHash(step.route)} aria-current=${ifDefined(step.id === current ? "step" : undefined)} data-step=${step.id}>${inside}</a>`
        : html`<span class="closed" data-step=${step.id}>${inside}</span>`
    }
  </li>`;
}

function renderNext({ next }: Rail): TemplateResult | typeof nothing {
  return next
    ? html`<a class="button ${next.attention || next.id !== "plan" ? "primary" : ""} next" href=${routeHash(next.route)} data-test="next-step">${nextWords(next)} ${icon("arrow")}</a>`
    : nothing;
}

function nextWords({ id, attention }: NextStep): string {
  return t(attention && id === "tags" ? "next.fixTags" : `next.${id}`);
}

function toneOf(state: StepState): string {
  if (state.kind === "toFix" || state.kind === "triggerMissing") return "warning";
  return state.kind === "job" && state.status === "failed" ? "danger" : "subdued";
}

function stateWords(state: StepState): string {
  switch (state.kind) {
    case "unknown":
      return t("rail.unknown");
    case "empty":
      return t("rail.empty");
    case "toFix":
      return t("rail.toFix", { n: state.count });
    case "triggerMissing":
      return t("rail.triggerMissing");
    case "pictures":
      return t("rail.pictures", { n: state.count });
    case "done":
      return t("rail.done");
    case "open":
      return t("rail.open");
    case "waiting":
      return t("rail.waiting");
    case "job":
      return state.status === "running" ? t("rail.running", { percent: state.percent }) : t(`status.${state.status}`);
    case "cells":
      return t("rail.cells", { n: state.count });
    case "verdict":
      return t("rail.verdict", { epoch: state.epoch });
    default: {
      const unknownState: never = state;
      return unknownState;
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-rail": TlRail;
  }
}
