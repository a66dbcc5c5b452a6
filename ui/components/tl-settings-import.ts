import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { SettingsImport } from "../../protocol/settings-import.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** A settings file, or pasted text with the name "". */
export type SettingsSource = { name: string; content: Blob };

/**
 * Takes a settings file of other tools, by choosing, dropping or pasting, and shows what became of each of its options.
 *
 * @fires settings-import - `detail` is a SettingsSource.
 */
@customElement("tl-settings-import")
export class TlSettingsImport extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      .drop {
        display: grid;
        gap: var(--tl-gap);
        padding: var(--tl-gap-large);
        border: 1.5px dashed var(--tl-input-border);
        border-radius: var(--tl-radius);
      }
      .drop.over {
        border-color: var(--tl-accent);
        background: var(--tl-accent-tint);
      }
      textarea {
        width: 100%;
        box-sizing: border-box;
      }
      summary {
        min-height: 44px;
        padding: 10px 0;
        font-weight: 600;
        cursor: pointer;
      }
      ul {
        margin: 4px 0;
        padding-inline-start: 20px;
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false }) report: SettingsImport | null = null;
  @property({ type: Boolean }) disabled = false;
  @state() private _over = false;
  @state() private _text = "";
  @query("#file") private readonly _file!: HTMLInputElement;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`<details>
      <summary data-test="settings-import">${t("settingsImport.title")}</summary>
      <div class="drop ${this._over ? "over" : ""}" @dragover=${this._onDragOver} @dragleave=${() => (this._over = false)} @drop=${this._onDrop}>
        <span class="subdued fine">${t("settingsImport.help")}</span>
        <div class="row"><button ?disabled=${this.disabled} @click=${() => this._file.click()}>${t("settingsImport.choose")}</button></div>
        <input id="file" type="file" hidden accept=".toml,.json,.ps1,.sh,.bat,.cmd,.txt" data-test="settings-import-file" @change=${this._onChosen} />
        <label><span class="fine">${t("settingsImport.paste")}</span>
          <textarea rows="3" spellcheck="false" .value=${this._text} data-test="settings-import-text" @input=${(event: InputEvent & { currentTarget: HTMLTextAreaElement }) => (this._text = event.currentTarget.value)} @keydown=${(event: KeyboardEvent) => event.stopPropagation()}></textarea></label>
        <div class="row"><button ?disabled=${this.disabled || this._text.trim() === ""} data-test="settings-import-read" @click=${() => this._send({ name: "", content: new Blob([this._text]) })}>${t("settingsImport.read")}</button></div>
      </div>
      ${this.report === null ? nothing : this._renderReport(this.report)}
    </details>`;
  }

  private _renderReport({ taken, notNeeded, unknown, refused }: SettingsImport): TemplateResult {
    const at = (line: number | null) => (line === null ? "" : t("settingsImport.line", { line }));
    return html`<div role="status" data-test="settings-import-report">
      ${this._renderList(
        "refused",
        refused.map(({ message }) => message),
        true,
      )}
      ${this._renderList(
        "unknown",
        unknown.map(({ option, line, value }) => `${option}${value ? ` = ${value}` : ""}${at(line)}`),
        true,
      )}
      ${this._renderList(
        "taken",
        taken.map(
          ({ option, line, setting, value, assumed }) =>
            `${option} → ${setting} ${JSON.stringify(value)}${assumed ? t("settingsImport.assumed") : at(line)}`,
        ),
        false,
      )}
      ${this._renderList(
        "notNeeded",
        notNeeded.map(({ option, line, reason }) => `${option}${at(line)}: ${reason}`),
        false,
      )}
    </div>`;
  }

  private _renderList(
    kind: "taken" | "notNeeded" | "unknown" | "refused",
    lines: readonly string[],
    open: boolean,
  ): TemplateResult | typeof nothing {
    if (lines.length === 0) return nothing;
    return html`<details ?open=${open}>
      <summary>${t(`settingsImport.${kind}`, { n: lines.length })}</summary>
      <ul class="fine">${lines.map((line) => html`<li>${line}</li>`)}</ul>
    </details>`;
  }

  private _onDragOver(event: DragEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this._over = true;
  }

  private _onDrop(event: DragEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this._over = false;
    const file = event.dataTransfer?.files[0];
    if (file && !this.disabled) this._send({ name: file.name, content: file });
  }

  private _onChosen(event: Event & { currentTarget: HTMLInputElement }): void {
    const file = event.currentTarget.files?.[0];
    if (file) this._send({ name: file.name, content: file });
    event.currentTarget.value = "";
  }

  private _send(detail: SettingsSource): void {
    this.dispatchEvent(new CustomEvent<SettingsSource>("settings-import", { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-settings-import": TlSettingsImport;
  }
}
