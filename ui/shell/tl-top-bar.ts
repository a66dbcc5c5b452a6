import { html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { etaSeconds } from "../../protocol/job.js";
import { customElement } from "../components/custom-element.js";
import { mayChange } from "../data/access.js";
import { activityOf } from "../data/activity.js";
import { type Route, routeHash, runRoute } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { formatDuration } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import "./tl-webui-line.js";
import { topBarStyles } from "./tl-top-bar.styles.js";

const places = [
  { page: "datasets", label: "nav.datasets", within: ["datasets", "dataset"] },
  { page: "runs", label: "nav.runs", within: ["runs", "run"] },
  { page: "grids", label: "nav.grids", within: ["grids", "grid"] },
  { page: "loras", label: "nav.loras", within: ["loras"] },
  { page: "settings", label: "nav.settings", within: ["settings"] },
] as const;

/** The five places, and what the machine is doing. */
@customElement("tl-top-bar")
export class TlTopBar extends LitElement {
  static override styles = [text, controls, topBarStyles];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  @property({ attribute: false }) page: Route["page"] = "datasets";

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`
      <a class="name" href=${routeHash({ page: "datasets" })}>Train LoRA</a>
      <nav aria-label=${t("nav.label")}>
        <ul>
          ${places.map(
            ({ page, label, within }) =>
              html`<li>
                <a href=${routeHash({ page, file: null })} aria-current=${ifDefined(within.some((name) => name === this.page) ? "page" : undefined)}
                  >${t(label)}</a
                >
              </li>`,
          )}
        </ul>
      </nav>
      <div class="status">
        ${this.state.snapshot?.host && this.state.status === "connected" ? html`<tl-webui-line .session=${this.session} .host=${this.state.snapshot.host} ?disabled=${!mayChange(this.state)}></tl-webui-line>` : nothing}
        <span>${this._renderActivity()}</span>
        ${this._renderLive()}
      </div>
    `;
  }

  private _renderActivity(): TemplateResult | string {
    const activity = activityOf(this.state.snapshot?.jobs ?? []);
    switch (activity.kind) {
      case "idle":
        return t("activity.idle");
      case "waiting":
        return t("activity.waiting", { n: activity.count });
      case "paused":
        return html`<a href=${routeHash(runRoute(activity.job.id))}>${t("activity.paused", { name: activity.job.name })}</a>`;
      case "working": {
        const { job, waiting } = activity;
        const eta = etaSeconds(job);
        const words = [t("activity.training", { name: job.name, epoch: job.epoch, epochs: job.epochs })];
        if (eta !== null) words.push(t("run.left", { time: formatDuration(eta) }));
        if (waiting > 0) words.push(t("activity.waiting", { n: waiting }));
        return html`<a href=${routeHash(runRoute(job.id))}>${words.join(" · ")}</a>`;
      }
      default: {
        const unknownActivity: never = activity;
        return unknownActivity;
      }
    }
  }

  private _renderLive(): TemplateResult {
    const live = this.state.status === "connected";
    return html`<span class="live ${live ? "good" : "danger"}" role="status" data-test="live">${live ? t("live.connected") : t("live.lost")}</span>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-top-bar": TlTopBar;
  }
}
