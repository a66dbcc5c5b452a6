import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { Problem, ProblemCode } from "../../protocol/dataset.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";

/**
 * What a scan found, most severe first, each with Show and Fix.
 *
 * @fires problem-fix - `detail` is the codes to fix.
 * @fires problem-show - `detail` is the code whose pictures should be shown, or null for all.
 */
@customElement("tl-problems")
export class TlProblems extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: block;
      }
      :host([hidden]) {
        display: none;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: var(--tl-gap);
      }
      li {
        display: flex;
        align-items: center;
        gap: 2px;
        padding: 3px 4px 3px 12px;
        border: 1px solid var(--tl-border);
        border-radius: var(--tl-radius);
        background: var(--tl-surface);
      }
      li.shown {
        border-color: var(--tl-accent);
        background: var(--tl-accent-tint);
      }
      .mark {
        display: inline-flex;
      }
      .label {
        margin-inline: 4px 6px;
      }
      li.all {
        padding: 0;
        border: 0;
        background: none;
      }
    `,
  ];

  @property({ attribute: false }) problems: readonly Problem[] = [];
  /** The code whose pictures are shown alone. */
  @property({ attribute: false }) shown: string | null = null;
  @property({ type: Boolean }) disabled = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  // An empty element must not take a place in its parent's grid.
  protected override updated(): void {
    this.hidden = this.problems.length === 0;
  }

  override render(): TemplateResult {
    if (this.problems.length === 0) return html``;
    const fixable = this.problems.filter((problem) => problem.fixable);
    return html`<ul aria-label=${t("problems.label")}>
      ${this.problems.map((problem) => this._renderProblem(problem))}
      ${
        fixable.length > 0
          ? html`<li class="all">
            <button class="primary" ?disabled=${this.disabled} data-test="fix-all" @click=${() => this._fix(fixable.map(({ code }) => code))}>${t("problems.fixAll")}</button>
          </li>`
          : nothing
      }
    </ul>`;
  }

  private _renderProblem({ code, severity, images, fixable, message }: Problem): TemplateResult {
    const isShown = this.shown === code;
    const tone = { error: "danger", warning: "warning", info: "subdued" }[severity];
    return html`<li class=${isShown ? "shown" : ""} title=${message} data-problem=${code}>
      <span class="mark ${tone}">${icon(severity === "info" ? "info" : "warning")}</span>
      <span class="label">${t(`problem.${code}`)} <strong class="number">${images.length}</strong></span>
      <button class="small quiet" aria-pressed=${isShown} @click=${() => this._show(isShown ? null : code)}>${isShown ? t("problems.showAll") : t("problems.show")}</button>
      ${
        fixable
          ? html`<button class="small quiet" ?disabled=${this.disabled} aria-label=${t("problems.fixOne", { problem: t(`problem.${code}`) })} @click=${() => this._fix([code])}>${t("problems.fix")}</button>`
          : nothing
      }
    </li>`;
  }

  private _fix(detail: ProblemCode[]): void {
    this.dispatchEvent(new CustomEvent("problem-fix", { detail }));
  }

  private _show(detail: ProblemCode | null): void {
    this.dispatchEvent(new CustomEvent("problem-show", { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-problems": TlProblems;
  }
}
