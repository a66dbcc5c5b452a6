import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { LoraToolResult } from "../../protocol/lora-tools.js";
import { formatBytes, formatSmall } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

const MOST_ROWS = 24;

type Of<Tool extends LoraToolResult["tool"]> = Extract<LoraToolResult, { tool: Tool }>;

/** What a LoRA tool has found or written. */
@customElement("tl-lora-tool-result")
export class TlLoraToolResult extends LitElement {
  static override styles = [
    text,
    css`
      :host {
        display: block;
        margin-top: var(--tl-gap-large);
        overflow-x: auto;
      }
      table {
        font-size: var(--tl-text-small);
      }
      th,
      td {
        padding: 3px 8px 3px 0;
      }
    `,
  ];

  @property({ attribute: false }) result: LoraToolResult | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { result } = this;
    return html`<div role="status" data-test="lora-tool-result">${result === null ? nothing : renderResult(result)}</div>`;
  }
}

function renderResult(result: LoraToolResult): TemplateResult {
  switch (result.tool) {
    case "verify":
      return renderVerify(result);
    case "inspect":
      return renderRanks(result);
    case "compare":
      return renderCompare(result);
    case "resize":
    case "merge":
      return html`${renderWritten(result)}<p class="subdued">${result.meanEnergyKept === null ? nothing : t("tools.kept", { percent: (result.meanEnergyKept * 100).toFixed(1) })}</p>`;
    case "convert":
      return renderWritten(result);
    default: {
      const unknownTool: never = result;
      return unknownTool;
    }
  }
}

function renderWritten({ file, bytes, note }: { file: string; bytes: number; note: string }): TemplateResult {
  return html`<p><strong class="break">${file}</strong> <span class="number">${formatBytes(bytes)}</span></p><p class="subdued break">${note}</p>`;
}

function renderVerify({ kind, modules, programs }: Of<"verify">): TemplateResult {
  return html`<p>${t("tools.forKind", { kind })}</p>
    <table><tbody>${Object.entries(programs).map(
      ([program, { matched, unmatched, notes }]) => html`<tr>
        <th scope="row">${program}</th>
        <td class="number">${t("tools.matched", { matched, modules })}</td>
        <td class="break">${notes.map((note) => html`<div>${note}</div>`)} ${unmatched.slice(0, MOST_ROWS).map((name) => html`<div class="subdued">${name}</div>`)} ${more(unmatched.length)}</td>
      </tr>`,
    )}</tbody></table>`;
}

function renderRanks({ modules, dim90, dim99 }: Of<"inspect">): TemplateResult {
  const largest = [...modules].sort((a, b) => b.norm - a.norm);
  return html`<p>${t("tools.dims", { dim90, dim99 })}</p>
    <table>
      <thead><tr>${(["layer", "norm", "dim", "effectiveRank", "stableRank", "dim90"] as const).map((column) => html`<th scope="col">${t(`tools.${column}`)}</th>`)}</tr></thead>
      <tbody class="number">${largest
        .slice(0, MOST_ROWS)
        .map(
          (row) =>
            html`<tr><th scope="row" class="break">${row.name}</th>${[row.norm, row.dim, row.effectiveRank, row.stableRank, row.dim90].map((value) => html`<td>${formatSmall(value)}</td>`)}</tr>`,
        )}</tbody>
    </table>${more(modules.length)}`;
}

function renderCompare({ keys, shared, onlyFirst, onlySecond, cosine }: Of<"compare">): TemplateResult {
  return html`<p>${t("tools.shared", { shared, first: onlyFirst.length, second: onlySecond.length })} ${cosine === null ? nothing : t("tools.cosine", { cosine: cosine.toFixed(3) })}</p>
    <table><tbody>${keys.map(({ key, first, second }) => html`<tr><th scope="row" class="break">${key}</th><td class="break">${short(first)}</td><td class="break">${short(second)}</td></tr>`)}</tbody></table>`;
}

function more(count: number): TemplateResult | typeof nothing {
  return count > MOST_ROWS ? html`<p class="subdued">${t("tools.more", { count: count - MOST_ROWS })}</p>` : nothing;
}

function short(value: string | null): string {
  if (value === null) return "–";
  return value.length > 120 ? `${value.slice(0, 119)}…` : value;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-lora-tool-result": TlLoraToolResult;
  }
}
