import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { type Task, taskSecondsLeft } from "../../protocol/task.js";
import { datasetRoute, routeHash } from "../data/route.js";
import type { Session } from "../data/session.js";
import { dismissTask, shownTasks, stopTask } from "../data/tasks.js";
import { formatDuration } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { ActionController } from "./action-controller.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";

/** The strip of long work: what, how far, how long, and Stop. It takes no place when there is none. */
@customElement("tl-tasks")
export class TlTasks extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: block;
      }
      ul {
        display: grid;
        gap: var(--tl-gap);
        padding: var(--tl-gap) clamp(12px, 2vw, 32px);
        border-bottom: 1px solid var(--tl-border);
        background: var(--tl-surface);
      }
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 4px var(--tl-gap-large);
        align-items: center;
      }
      progress {
        grid-column: 1;
      }
      .words {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--tl-gap-large);
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) tasks: readonly Task[] = [];
  /** This page may only look. */
  @property({ type: Boolean }) disabled = false;
  private readonly _action = new ActionController(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult | typeof nothing {
    const shown = shownTasks(this.tasks);
    if (shown.length === 0) return nothing;
    return html`<ul aria-label=${t("tasks.label")} data-test="tasks">${shown.map((task) => this._renderTask(task))}</ul>`;
  }

  private _renderTask(task: Task): TemplateResult {
    const { id, kind, dataset, state, total, done, message, failure } = task;
    const title = t(`task.${kind}`);
    return html`<li data-test="task" data-kind=${kind} data-state=${state}>
      <p class="words">
        <strong>${title}</strong>
        ${dataset === null ? nothing : html`<a href=${routeHash(datasetRoute(dataset))}>${dataset}</a>`}
        <span class="number ${state === "failed" ? "danger" : "subdued"} break">${this._words(task).join(" · ")}</span>
        ${failure ? html`<span class="break">${failure.message}</span>` : message ? html`<span class="break">${message}</span>` : nothing}
      </p>
      ${
        state === "running"
          ? html`<button class="small" ?disabled=${this.disabled} data-test="stop-task" @click=${() => this._run(id, stopTask)}>${t("tasks.stop")}</button>
              <progress aria-label=${title} max=${total > 0 ? total : nothing} value=${total > 0 ? Math.min(done, total) : nothing}></progress>`
          : html`<button class="small quiet icon" ?disabled=${this.disabled} aria-label=${t("tasks.dismiss")} data-test="dismiss-task" @click=${() => this._run(id, dismissTask)}>${icon("close")}</button>`
      }
    </li>`;
  }

  private _words(task: Task): string[] {
    const { state, done, total } = task;
    const words = state === "running" ? [] : [t(`task.state.${state}`)];
    if (total > 0) words.push(t("tasks.progress", { done, total }));
    else if (done > 0) words.push(String(done));
    const left = taskSecondsLeft(task, Date.now());
    if (left !== null) words.push(t("run.left", { time: formatDuration(left) }));
    return words;
  }

  private _run(id: string, what: (session: Session, task: string) => Promise<void>): void {
    void this._action.run("task", () => what(this.session, id));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-tasks": TlTasks;
  }
}
