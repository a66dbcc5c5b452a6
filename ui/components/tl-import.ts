import { css, html, LitElement, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { chosenFiles, droppedFiles, nameOf, type UploadFile } from "../data/upload.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** What to import: a path on the server's machine, or files that the browser has. */
export type ImportRequest = { name: string; path: string } | { name: string; files: UploadFile[] };

/**
 * Takes pictures over: by path, or by dropping files, a folder or a zip.
 *
 * @fires import-start - `detail` is an ImportRequest.
 */
@customElement("tl-import")
export class TlImport extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: block;
      }
      .drop {
        display: grid;
        justify-items: center;
        gap: var(--tl-gap);
        padding: var(--tl-gap-huge) var(--tl-gap-large);
        border: 1.5px dashed var(--tl-input-border);
        border-radius: var(--tl-radius);
        text-align: center;
      }
      .drop.over {
        border-color: var(--tl-accent);
        background: var(--tl-accent-tint);
      }
      form {
        display: grid;
        grid-template-columns: minmax(0, 2fr) minmax(0, 1fr) auto;
        align-items: end;
        gap: var(--tl-gap-large);
        margin-top: var(--tl-gap-large);
      }
      label {
        display: grid;
        gap: 4px;
      }
      .name {
        max-width: 32ch;
        margin-top: var(--tl-gap-large);
      }
      @media (max-width: 640px) {
        form {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  @property({ type: Boolean }) disabled = false;
  /** True where folders of the server's machine may not be asked for. */
  @property({ type: Boolean }) uploadOnly = false;
  @state() private _over = false;
  @state() private _path = "";
  @state() private _name = "";
  @query("#files") private readonly _files!: HTMLInputElement;
  @query("#folder") private readonly _folder!: HTMLInputElement;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    return html`
      <div class="drop ${this._over ? "over" : ""}" @dragover=${this._onDragOver} @dragleave=${() => (this._over = false)} @drop=${this._onDrop}>
        <p><strong>${t("import.drop")}</strong></p>
        <p class="subdued fine">${t("import.dropHelp")}</p>
        <div class="row">
          <button ?disabled=${this.disabled} @click=${() => this._folder.click()}>${t("import.chooseFolder")}</button>
          <button ?disabled=${this.disabled} @click=${() => this._files.click()}>${t("import.chooseFiles")}</button>
        </div>
        <input id="folder" type="file" hidden multiple ?disabled=${this.disabled} .webkitdirectory=${true} data-test="import-folder" @change=${this._onChosen} />
        <input id="files" type="file" hidden multiple ?disabled=${this.disabled} accept="image/*,.txt,.zip" data-test="import-files" @change=${this._onChosen} />
      </div>
      ${this.uploadOnly ? html`<label class="name"><span>${t("import.name")}</span>${this._renderName(t("import.unnamed"))}</label>` : this._renderPath()}
    `;
  }

  private _renderPath(): TemplateResult {
    return html`<form @submit=${this._onSubmit}>
      <label>
        <span>${t("import.path")}</span>
        <input name="path" autocomplete="off" spellcheck="false" ?disabled=${this.disabled} .value=${this._path} data-test="import-path" @input=${this._onPath} />
      </label>
      <label><span>${t("import.name")}</span>${this._renderName(lastPart(this._path))}</label>
      <button class="primary" ?disabled=${this.disabled || !this._path.trim()} data-test="import-button">${t("import.button")}</button>
    </form>`;
  }

  private _renderName(standard: string): TemplateResult {
    return html`<input name="name" autocomplete="off" spellcheck="false" ?disabled=${this.disabled} .value=${this._name} placeholder=${standard} data-test="import-name" @input=${this._onName} />`;
  }

  private _onPath(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this._path = event.currentTarget.value;
  }

  private _onName(event: InputEvent & { currentTarget: HTMLInputElement }): void {
    this._name = event.currentTarget.value;
  }

  private _onSubmit(event: SubmitEvent): void {
    event.preventDefault();
    const path = this._path.trim().replace(/^"(.*)"$/, "$1");
    this._start({ path, name: this._name.trim() || lastPart(path) });
  }

  private _onDragOver(event: DragEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this._over = true;
  }

  private async _onDrop(event: DragEvent): Promise<void> {
    event.preventDefault();
    event.stopPropagation();
    this._over = false;
    if (event.dataTransfer && !this.disabled) this._send(await droppedFiles(event.dataTransfer.items));
  }

  private _onChosen(event: Event & { currentTarget: HTMLInputElement }): void {
    if (event.currentTarget.files) this._send(chosenFiles(event.currentTarget.files));
    event.currentTarget.value = "";
  }

  private _send(files: UploadFile[]): void {
    if (files.length > 0) this._start({ files, name: this._name.trim() || nameOf(files) || t("import.unnamed") });
  }

  private _start(detail: ImportRequest): void {
    this.dispatchEvent(new CustomEvent<ImportRequest>("import-start", { detail }));
  }
}

function lastPart(path: string): string {
  return (path.trim().split(/[\\/]/).filter(Boolean).at(-1) ?? "").replace(/\.zip$/i, "");
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-import": TlImport;
  }
}
