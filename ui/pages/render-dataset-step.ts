import { html, nothing, type TemplateResult } from "lit";
import type { Dataset, ProblemCode } from "../../protocol/dataset.js";
import { icon } from "../components/icon.js";
import "../components/tl-failure.js";
import "../components/tl-fix-preview.js";
import { t } from "../locales/locale.js";
import type { DatasetEditor } from "./dataset-editor.js";

/** What the steps Pictures and Tags share around their contents: the scan's state, a waiting fix, what was done, and Undo. */
export function renderDatasetStep(editor: DatasetEditor, renderReady: (dataset: Dataset) => TemplateResult): TemplateResult {
  const { scan } = editor;
  if (!scan || scan.state === "loading")
    return html`<p role="status" class="subdued">${t("scan.running")}</p><progress aria-label=${t("scan.running")}></progress>`;
  if (scan.state === "failed")
    return html`<tl-failure .failure=${scan.failure}><button class="small" @click=${() => editor.load()}>${t("scan.again")}</button></tl-failure>`;
  return html`
    <tl-failure .failure=${editor.action.failure}></tl-failure>
    ${
      editor.preview
        ? html`<tl-fix-preview
          .changes=${editor.preview.report.changes}
          .urlOf=${(id: string) => editor.urlOf(id, 112)}
          ?disabled=${editor.locked}
          @fix-apply=${() => editor.applyFix()}
          @fix-cancel=${() => editor.cancelFix()}
        ></tl-fix-preview>`
        : nothing
    }
    ${renderReady(scan.dataset)}
  `;
}

/** Undo, beside a line that says what is going on or was done last. */
export function renderUndo(editor: DatasetEditor, undo: () => void = () => void editor.undo()): TemplateResult {
  const { state } = editor.action;
  return html`<div class="row undo">
    <button class="small" ?disabled=${editor.locked} title=${t("undo.help")} data-test="undo" @click=${undo}>${icon("undo")}${t("undo.button")}</button>
    <span role="status" class="subdued fine break" data-test="message">${state.kind === "running" ? state.what : editor.message}</span>
  </div>`;
}

export function fixCodes(editor: DatasetEditor): (event: CustomEvent<ProblemCode[]>) => void {
  return (event) => void editor.previewFix({ only: event.detail });
}
