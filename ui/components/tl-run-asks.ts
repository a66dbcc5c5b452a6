import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { JobAsk } from "../data/jobs.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

export type RunSample = { step: number; url: string; prompt: string };

/**
 * What can be asked of a run besides pause and stop, and what came of it: LoRAs and pictures of single steps.
 *
 * @fires run-ask - `detail` is a JobAsk.
 * @fires run-extend - `detail` is the number of epochs to add.
 */
@customElement("tl-run-asks")
export class TlRunAsks extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap);
      }
      input {
        width: 6em;
      }
      .samples {
        display: flex;
        flex-wrap: wrap;
        gap: var(--tl-gap);
      }
      figure {
        margin: 0;
        width: 128px;
      }
      img {
        width: 100%;
        height: auto;
      }
    `,
  ];

  /** True while a trainer is there to be asked. */
  @property({ type: Boolean }) running = false;
  @property({ type: Boolean }) disabled = false;
  @property({ attribute: false }) saves: readonly { step: number; file: string }[] = [];
  @property({ attribute: false }) samples: readonly RunSample[] = [];
  @state() private _epochs = 1;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`
      <div class="row">
        ${this.running ? asks.map((ask) => this._renderAsk(ask)) : nothing}
        <label class="row">${t("run.moreEpochs")}
          <input type="number" min="1" max="1000" step="1" .value=${String(this._epochs)} ?disabled=${this.disabled} data-test="more-epochs" @change=${this._onEpochs} />
        </label>
        <button title=${t("extendJob.help")} ?disabled=${this.disabled} data-test="extend" @click=${this._onExtend}>${t("extendJob.button")}</button>
      </div>
      ${this.saves.length > 0 ? html`<ul>${this.saves.map(({ step, file }) => html`<li>${t("run.atStep", { step })} <code class="break">${file}</code></li>`)}</ul>` : nothing}
      ${this.samples.length > 0 ? html`<div class="samples">${this.samples.map(renderSample)}</div>` : nothing}
    `;
  }

  private _renderAsk(ask: JobAsk): TemplateResult {
    return html`<button title=${t(`${ask}.help`)} ?disabled=${this.disabled} data-test=${ask} @click=${() => this.dispatchEvent(new CustomEvent<JobAsk>("run-ask", { detail: ask }))}>${t(`${ask}.button`)}</button>`;
  }

  private _onEpochs(event: Event & { currentTarget: HTMLInputElement }): void {
    const { valueAsNumber } = event.currentTarget;
    this._epochs = Number.isInteger(valueAsNumber) ? Math.min(1000, Math.max(1, valueAsNumber)) : 1;
  }

  private _onExtend(): void {
    this.dispatchEvent(new CustomEvent<number>("run-extend", { detail: this._epochs }));
  }
}

const asks: readonly JobAsk[] = ["saveNow", "sampleNow", "stopAndSave"];

function renderSample({ step, url, prompt }: RunSample): TemplateResult {
  return html`<figure>
    <a href=${url} target="_blank" rel="noopener"><img src=${url} alt=${prompt} title=${prompt} loading="lazy" /></a>
    <figcaption class="subdued fine number">${t("run.atStep", { step })}</figcaption>
  </figure>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-run-asks": TlRunAsks;
  }
}
