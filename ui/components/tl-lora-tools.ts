import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { LoraTool, type LoraToolResult } from "../../protocol/lora-tools.js";
import { newName, type ToolName, toolNames, writesFile } from "../data/lora-tools.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import "./tl-lora-tool-result.js";

/**
 * What can be done with a LoRA file: a tool, what it needs to know, and what it has found.
 *
 * @fires lora-tool - `detail` is the LoraTool to be run.
 */
@customElement("tl-lora-tools")
export class TlLoraTools extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      form {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(160px, 100%), 1fr));
        gap: var(--tl-gap-large);
        align-items: end;
      }
      .wide {
        grid-column: 1 / -1;
      }
    `,
  ];

  @property() file = "";
  /** The other files of the folder, to compare and merge with. */
  @property({ attribute: false }) others: readonly string[] = [];
  @property({ attribute: false }) result: LoraToolResult | null = null;
  @property({ type: Boolean }) running = false;
  /** Whether files may be written. */
  @property({ type: Boolean }) writes = false;
  @state() private _tool: ToolName = "verify";

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const tools = toolNames.filter((tool) => this.writes || !writesFile(tool));
    return html`<h3>${t("tools.title")}</h3>
      <form @submit=${this._onSubmit} @keydown=${(event: KeyboardEvent) => event.stopPropagation()}>
        <label class="field wide"><span>${t("tools.tool")}</span>
          <select data-test="lora-tool" @change=${(event: Event & { currentTarget: HTMLSelectElement }) => this._choose(tools[event.currentTarget.selectedIndex])}>
            ${tools.map((tool) => html`<option value=${tool} ?selected=${tool === this._tool}>${t(`tools.${tool}`)}</option>`)}
          </select>
          <span class="subdued fine">${t(`tools.${this._tool}Help`)}</span></label>
        ${this._renderFields()} ${writesFile(this._tool) ? this._renderName() : nothing}
        <button type="submit" class="primary wide" ?disabled=${this.running} data-test="run-lora-tool">${t(this.running ? "tools.running" : "tools.run")}</button>
      </form>
      ${this.result === null ? nothing : html`<tl-lora-tool-result .result=${this.result}></tl-lora-tool-result>`}`;
  }

  private _renderFields(): TemplateResult | typeof nothing {
    switch (this._tool) {
      case "verify":
      case "inspect":
        return nothing;
      case "compare":
        return this._renderOther();
      case "resize":
        return html`${number("dim", "16")}
          <label class="field"><span>${t("tools.method")}</span><select name="method">${["fixed", "sv_ratio", "sv_fro", "sv_cumulative"].map((method) => html`<option>${method}</option>`)}</select></label>
          ${number("target", "0.9")}`;
      case "blend":
        return html`<label class="field"><span>${t("tools.epochs")}</span><input name="epochs" required placeholder="6-9" pattern="[0-9 ,\\-]+" /></label>`;
      case "merge":
        return html`${this._renderOther()} ${number("weight", "1")} ${number("otherWeight", "1")}`;
      case "convert":
        return html`<label class="field"><span>${t("tools.style")}</span><select name="style"><option>kohya</option><option>peft</option></select></label>`;
      default: {
        const unknownTool: never = this._tool;
        return unknownTool;
      }
    }
  }

  private _renderOther(): TemplateResult {
    return html`<label class="field wide"><span>${t("tools.other")}</span>
      <select name="other" required>${this.others.map((file) => html`<option>${file}</option>`)}</select></label>`;
  }

  private _renderName(): TemplateResult {
    return html`<label class="field wide"><span>${t("tools.name")}</span><input name="out" required spellcheck="false" .value=${newName(this.file, this._tool)} /></label>`;
  }

  private _choose(tool: ToolName | undefined): void {
    if (tool !== undefined) this._tool = tool;
  }

  private _onSubmit(event: SubmitEvent & { currentTarget: HTMLFormElement }): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string) => String(form.get(name) ?? "");
    const parsed = LoraTool.safeParse(requestOf(this._tool, this.file, value));
    if (parsed.success) this.dispatchEvent(new CustomEvent<LoraTool>("lora-tool", { detail: parsed.data }));
  }
}

function number(name: "dim" | "target" | "weight" | "otherWeight", preset: string): TemplateResult {
  return html`<label class="field"><span>${t(`tools.${name}`)}</span><input type="number" inputmode="decimal" name=${name} .step=${name === "dim" ? "1" : "any"} .min=${name === "dim" ? "1" : "-10"} required .value=${preset} /></label>`;
}

function requestOf(tool: ToolName, file: string, value: (name: string) => string): unknown {
  const out = value("out");
  switch (tool) {
    case "verify":
    case "inspect":
      return { tool, file };
    case "compare":
      return { tool, first: file, second: value("other") };
    case "resize":
      return {
        tool,
        file,
        out,
        dim: Number(value("dim")),
        method: value("method"),
        target: value("method") === "fixed" ? 0 : Number(value("target")),
      };
    case "blend":
      return { tool, file, out, epochs: value("epochs") };
    case "merge":
      return { tool, files: [file, value("other")], weights: [Number(value("weight")), Number(value("otherWeight"))], out };
    case "convert":
      return { tool, file, out, style: value("style") };
    default: {
      const unknownTool: never = tool;
      return unknownTool;
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-lora-tools": TlLoraTools;
  }
}
