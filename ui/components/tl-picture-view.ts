import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { DatasetImage } from "../../protocol/dataset.js";
import { formatBytes } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";
import "./tl-caption-editor.js";
import "./tl-picture-editor.js";

/**
 * One picture large, with its caption and what is known about it.
 *
 * @fires view-close - Back to the wall.
 * @fires view-step - `detail` is -1 or 1: the neighbour picture.
 * @fires view-reject - Move the picture to the trash.
 * @fires caption-save - `detail` is the new caption.
 * @fires picture-operations - As tl-picture-editor's.
 */
@customElement("tl-picture-view")
export class TlPictureView extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      .view {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(280px, 2fr);
        gap: var(--tl-gap-large);
      }
      .view > * {
        min-width: 0;
      }
      .frame {
        display: grid;
        place-items: center;
        height: min(68vh, 900px);
        background: var(--tl-page);
        border-radius: var(--tl-radius-small);
      }
      img {
        max-width: 100%;
        max-height: 100%;
        min-width: min(256px, 100%);
        object-fit: contain;
        image-rendering: auto;
        min-height: 0;
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 2px var(--tl-gap-large);
      }
      dt {
        color: var(--tl-subdued);
      }
      @media (max-width: 820px) {
        .view {
          grid-template-columns: minmax(0, 1fr);
        }
        .frame {
          height: min(60vh, 420px);
        }
      }
    `,
  ];

  @property({ attribute: false }) image: DatasetImage | null = null;
  @property() url = "";
  @property() triggerWord = "";
  @property() position = "";
  @property({ type: Boolean }) disabled = false;
  @state() private _editing = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { image } = this;
    if (!image) return html``;
    return html`<section class="panel view" aria-label=${image.id}>
      ${
        this._editing && image.width > 0
          ? html`<tl-picture-editor .url=${this.url} .width=${image.width} .height=${image.height} ?transparent=${image.transparent} ?disabled=${this.disabled} @picture-operations=${(event: CustomEvent) => this.dispatchEvent(new CustomEvent("picture-operations", { detail: event.detail }))}></tl-picture-editor>`
          : html`<div class="frame"><img src=${this.url} alt=${image.caption || image.id} /></div>`
      }
      <div class="stack">
        <div class="row">
          <button class="icon" aria-label=${t("view.previous")} title=${t("view.previous")} @click=${() => this._say("view-step", -1)}>${icon("back")}</button>
          <button class="icon" aria-label=${t("view.next")} title=${t("view.next")} @click=${() => this._say("view-step", 1)}>${icon("forward")}</button>
          <span class="subdued number grow">${this.position}</span>
          <button class="small" aria-pressed=${this._editing} data-test="edit-picture" ?disabled=${image.width === 0} @click=${() => (this._editing = !this._editing)}>${t("view.edit")}</button>
          <button class="small" ?disabled=${this.disabled} title=${t("view.rejectHelp")} @click=${() => this._say("view-reject", null)}>${icon("trash")}${t("view.reject")}</button>
          <button class="icon" data-test="close-view" aria-label=${t("view.close")} title=${t("view.close")} @click=${() => this._say("view-close", null)}>${icon("close")}</button>
        </div>
        <tl-caption-editor .caption=${image.caption ?? ""} .triggerWord=${this.triggerWord} ?disabled=${this.disabled} @caption-save=${this._onSave}></tl-caption-editor>
        ${this._renderFacts(image)}
      </div>
    </section>`;
  }

  private _renderFacts(image: DatasetImage): TemplateResult {
    return html`<dl>
      <dt>${t("view.file")}</dt><dd class="break">${image.id}</dd>
      <dt>${t("view.size")}</dt><dd class="number">${image.width > 0 ? `${image.width} × ${image.height}` : t("view.unreadable")} · ${formatBytes(image.bytes)} · ${image.format}</dd>
      ${
        image.problems.length > 0
          ? html`<dt>${t("view.problems")}</dt><dd class="warning">${image.problems.map((code) => t(`problem.${code}`)).join(", ")}</dd>`
          : nothing
      }
    </dl>`;
  }

  private _onSave(event: CustomEvent<string>): void {
    this.dispatchEvent(new CustomEvent("caption-save", { detail: event.detail }));
  }

  private _say(type: string, detail: number | null): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-picture-view": TlPictureView;
  }
}
