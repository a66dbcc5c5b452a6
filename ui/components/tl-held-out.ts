import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { Plan, PlanImage } from "../../protocol/plan.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** So many pictures are offered at a time. */
const PAGE = 60;

/**
 * The pictures that are held out, and a choice of others.
 *
 * @fires held-out-change - `detail` is the ids of all that shall be held out; none: the plan chooses.
 */
@customElement("tl-held-out")
export class TlHeldOut extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host([hidden]) {
        display: none;
      }
      h2 {
        font-size: var(--tl-text-medium);
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: var(--tl-gap);
        margin: 6px 0;
        padding: 0;
        list-style: none;
      }
      button.picture {
        padding: 0;
        width: 72px;
        height: 72px;
        overflow: hidden;
      }
      button[aria-pressed="true"] {
        outline: 3px solid var(--tl-accent);
      }
      img {
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
    `,
  ];

  @property({ attribute: false }) plan: Plan | null = null;
  /** What the person chose; empty: the plan's choice. */
  @property({ attribute: false }) chosen: readonly string[] = [];
  @property({ attribute: false }) urlOf: (image: string) => string = () => "";
  @state() private _offered = 0;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult | typeof nothing {
    const images = this.plan?.images.filter(({ isReg }) => isReg !== true) ?? [];
    if (images.length < 2) return nothing;
    const heldOut = images.filter((image) => image.heldOut);
    const others = images.filter((image) => !image.heldOut);
    return html`<section aria-labelledby="title">
      <h2 id="title">${t("heldOut.title", { n: heldOut.length })}</h2>
      <p class="subdued fine">${t(this.chosen.length > 0 ? "heldOut.own" : "heldOut.automatic")}</p>
      <ul data-test="held-out">${heldOut.map((image) => this._renderPicture(image))}</ul>
      ${this._offered > 0 ? html`<ul data-test="offered">${others.slice(0, this._offered).map((image) => this._renderPicture(image))}</ul>` : nothing}
      <div class="row">
        ${others.length > this._offered ? html`<button class="small quiet" data-test="offer" @click=${this._onOffer}>${t(this._offered > 0 ? "heldOut.more" : "heldOut.choose")}</button>` : nothing}
        ${this.chosen.length > 0 ? html`<button class="small quiet" @click=${() => this._tell([])}>${t("heldOut.reset")}</button>` : nothing}
      </div>
    </section>`;
  }

  private _renderPicture({ id, heldOut }: PlanImage): TemplateResult {
    const url = this.urlOf(id);
    return html`<li><button class="picture" title=${id} aria-pressed=${heldOut} aria-label=${t(heldOut ? "heldOut.train" : "heldOut.hold", { id })} @click=${() => this._toggle(id)}>
      ${url ? html`<img src=${url} alt="" loading="lazy" decoding="async" />` : nothing}</button></li>`;
  }

  private _onOffer(): void {
    this._offered += PAGE;
  }

  private _toggle(id: string): void {
    const now = this.plan?.images.filter(({ heldOut }) => heldOut).map((image) => image.id) ?? [];
    this._tell(now.includes(id) ? now.filter((other) => other !== id) : [...now, id]);
  }

  private _tell(detail: string[]): void {
    this.dispatchEvent(new CustomEvent<string[]>("held-out-change", { detail }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-held-out": TlHeldOut;
  }
}
