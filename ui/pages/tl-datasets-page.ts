import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { DatasetSummary, ImportReport } from "../../protocol/dataset.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import type { ImportRequest } from "../components/tl-import.js";
import "../components/tl-failure.js";
import "../components/tl-import.js";
import { hidesFolders, mayChange } from "../data/access.js";
import { importDataset } from "../data/datasets.js";
import { newestJob } from "../data/rail.js";
import { datasetRoute, routeHash } from "../data/route.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { uploadFiles } from "../data/upload.js";
import { formatPercent } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

/** All data sets, and the way in for new pictures. */
@customElement("tl-datasets-page")
export class TlDatasetsPage extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap-huge);
        max-width: 1100px;
        margin-inline: auto;
      }
      .list a {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 2px var(--tl-gap-large);
        min-height: 52px;
        padding: 12px;
        border-bottom: 1px solid var(--tl-border);
        color: inherit;
        text-decoration: none;
      }
      .list a:hover {
        background: var(--tl-tint);
      }
      .list strong {
        flex: 1 1 12ch;
        font-weight: 600;
      }
      .empty {
        max-width: 62ch;
      }
      .skipped {
        max-height: 12em;
        overflow: auto;
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) state: AppState = emptyState;
  private readonly _action = new ActionController(this);
  private _progress = "";
  private _report: ImportReport | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const datasets = this.state.snapshot?.datasets ?? [];
    return html`
      <h1>${t("nav.datasets")}</h1>
      ${datasets.length > 0 ? html`<ul class="list">${datasets.map((dataset) => this._renderDataset(dataset))}</ul>` : html`<p class="empty">${t("datasets.empty")}</p>`}
      ${this._renderReport()}
      <section class="panel" aria-labelledby="import-title">
        <h2 id="import-title">${t("import.title")}</h2>
        <p class="subdued" style="margin-block: 4px 16px">${t("import.help")}</p>
        <tl-import ?disabled=${this._action.running || !mayChange(this.state)} ?uploadOnly=${hidesFolders(this.state)} @import-start=${this._onImport}></tl-import>
        <div role="status" style="margin-top: 12px">
          ${this._action.running ? html`${this._progress} <progress aria-label=${this._progress}></progress>` : nothing}
        </div>
        <tl-failure .failure=${this._action.failure}></tl-failure>
      </section>
    `;
  }

  private _renderDataset(dataset: DatasetSummary): TemplateResult {
    const job = newestJob(dataset.name, this.state.snapshot?.jobs ?? []);
    return html`<li>
      <a href=${routeHash(datasetRoute(dataset.name))} data-test="dataset" data-name=${dataset.name}>
        <strong class="break">${dataset.name}</strong>
        ${dataset.triggerWord ? html`<code class="subdued">${dataset.triggerWord}</code>` : nothing}
        <span class="number">${t("datasets.pictures", { n: dataset.images })}</span>
        <span class=${dataset.problems > 0 ? "warning" : "good"}>${dataset.problems > 0 ? t("datasets.problems", { n: dataset.problems }) : t("datasets.clean")}</span>
        ${job ? html`<span class="subdued">${t("datasets.lastRun", { status: t(`status.${job.status}`) })}</span>` : nothing}
      </a>
    </li>`;
  }

  private _renderReport(): TemplateResult | typeof nothing {
    const report = this._report;
    if (!report) return nothing;
    return html`<section class="panel" role="status">
      <p>${t("import.done", { name: report.name, images: t("datasets.pictures", { n: report.images }), captions: t("import.captions", { n: report.captions }) })}
        <a href=${routeHash(datasetRoute(report.name))}>${t("import.open")}</a></p>
      ${report.notes.map(
        ({
          message,
          files,
        }) => html`<details ?open=${files.length === 0}><summary>${message} ${files.length > 0 ? html`<span class="subdued">${t("import.noteFiles", { n: files.length })}</span>` : nothing}</summary>
          ${files.length > 0 ? html`<ul class="skipped fine" tabindex="0">${files.map((file) => html`<li><code>${file}</code></li>`)}</ul>` : nothing}</details>`,
      )}
      ${
        report.skipped.length > 0
          ? html`<details><summary>${t("import.skipped", { n: report.skipped.length })}</summary>
            <ul class="skipped fine" tabindex="0">${report.skipped.map(({ file, reason }) => html`<li><code>${file}</code> ${reason}</li>`)}</ul></details>`
          : nothing
      }
    </section>`;
  }

  private async _onImport(event: CustomEvent<ImportRequest>): Promise<void> {
    const request = event.detail;
    const report = await this._action.run("import", async () => {
      const source = "path" in request ? request.path : await this._upload(request.files);
      this._say(t("import.running"));
      return importDataset(this.session, source, request.name);
    });
    if (!report) return;
    this._report = report;
    // With something left behind the person should see the reasons before going on.
    if (report.skipped.length + report.notes.length === 0 && this.isConnected) location.hash = routeHash(datasetRoute(report.name));
    this.requestUpdate();
  }

  private _upload(files: Extract<ImportRequest, { files: unknown }>["files"]): Promise<string> {
    return uploadFiles(this.session, files, ({ files: done, bytes, totalBytes }) =>
      this._say(t("import.uploading", { done, n: files.length, share: formatPercent(totalBytes === 0 ? 1 : bytes / totalBytes) })),
    );
  }

  private _say(words: string): void {
    this._progress = words;
    this.requestUpdate();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-datasets-page": TlDatasetsPage;
  }
}
