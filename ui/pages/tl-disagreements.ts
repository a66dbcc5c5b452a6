import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { Dataset } from "../../protocol/dataset.js";
import type { Disagreement } from "../../protocol/disagreements.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-failure.js";
import { readDisagreements, settleDisagreements } from "../data/autotag.js";
import type { ReadScores } from "../data/autotag-preview.js";
import type { Session } from "../data/session.js";
import { formatNumber } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

const FIRST = 30;

/**
 * Booru says / tagger says: where captions and tagger differ, strongest first, to be worked off by keys.
 *
 * @fires captions-change - Captions were written; `detail` says in words what was done.
 */
@customElement("tl-disagreements")
export class TlDisagreements extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      summary {
        cursor: pointer;
        font-weight: 600;
      }
      ul {
        max-height: 60vh;
        overflow: auto;
      }
      li {
        display: grid;
        grid-template-columns: 64px minmax(0, 1fr) auto;
        gap: var(--tl-gap-large);
        align-items: center;
        padding: 6px;
        border-top: 1px solid var(--tl-border);
      }
      li:focus-visible {
        outline-offset: -2px;
        background: var(--tl-accent-tint);
      }
      img {
        width: 64px;
        height: 64px;
        object-fit: contain;
        border-radius: var(--tl-radius-small);
        background: var(--tl-border);
      }
      @media (max-width: 760px) {
        li {
          grid-template-columns: 64px minmax(0, 1fr);
        }
        .row.actions {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) datasetName = "";
  @property({ attribute: false }) scan!: Dataset;
  @property({ attribute: false }) tagger = "";
  @property({ attribute: false }) scores: ReadScores | null = null;
  @property({ attribute: false }) urlOf: (image: string) => string = () => "";
  @property({ type: Boolean }) disabled = false;
  @state() private _items: readonly Disagreement[] = [];
  @state() private _total = 0;
  @state() private _isOpen = false;
  private readonly _action = new ActionController(this);
  private _isStale = true;
  private _awaitsOwn = false;

  constructor() {
    super();
    new LocaleController(this);
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has("tagger") || changed.has("scores")) this._isStale = true;
    // What was accepted here is off the list already.
    if (changed.has("scan") && this._awaitsOwn) this._awaitsOwn = false;
    else if (changed.has("scan")) this._isStale = true;
  }

  override updated(): void {
    if (this._isOpen && this._isStale && !this._action.running) void this._load();
  }

  override render(): TemplateResult {
    const counts = new Map<string, number>();
    for (const one of this._items) counts.set(groupOf(one), (counts.get(groupOf(one)) ?? 0) + 1);
    return html`<details data-test="disagreements" @toggle=${this._onToggle}>
      <summary>${t("disagreements.title")}</summary>
      <div class="stack">
        <tl-failure .failure=${this._action.failure}></tl-failure>
        <p class="subdued">${t("disagreements.help")}</p>
        <p class="number" role="status" data-test="disagreement-count">${t("disagreements.count", { n: this._total })}</p>
        ${this._items.length === 0 ? nothing : html`<ul aria-label=${t("disagreements.title")} @keydown=${this._onKeydown}>${this._items.slice(0, FIRST).map((item, at) => this._renderItem(item, at, counts.get(groupOf(item)) ?? 1))}</ul>`}
      </div>
    </details>`;
  }

  private _renderItem(item: Disagreement, at: number, same: number): TemplateResult {
    const { image, tag, kind, score } = item;
    const isLocked = this.disabled || this._action.running;
    return html`<li tabindex=${at === 0 ? 0 : -1} data-at=${at} data-kind=${kind} data-tag=${tag}>
      <img src=${this.urlOf(image)} alt="" loading="lazy" />
      <div>
        <strong class="break">${tag}</strong>
        <div class="number">${t(`disagreements.${kind}`, { score: formatNumber(score, 2) })}</div>
        <div class="subdued fine break">${image}</div>
      </div>
      <div class="row actions">
        <button class="small primary" ?disabled=${isLocked} data-test="accept" @click=${() => this._settle([item], "accept")}>${t(`disagreements.accept.${kind}`)}</button>
        <button class="small" ?disabled=${isLocked} data-test="keep" @click=${() => this._settle([item], "keep")}>${t("disagreements.keep")}</button>
        ${same > 1 ? html`<button class="small quiet" ?disabled=${isLocked} data-test="accept-all" @click=${() => this._settle(this._like(item), "accept")}>${t(`disagreements.all.${kind}`, { n: same })}</button>` : nothing}
      </div>
    </li>`;
  }

  private _like(item: Disagreement): Disagreement[] {
    return this._items.filter((one) => groupOf(one) === groupOf(item));
  }

  private _onToggle(event: Event & { currentTarget: HTMLDetailsElement }): void {
    event.stopPropagation();
    this._isOpen = event.currentTarget.open;
  }

  private _onKeydown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLElement)) return;
    const at = Number(event.target.closest("li")?.dataset.at ?? -1);
    const item = this._items[at];
    if (item === undefined) return;
    const key = event.key.toLowerCase();
    const isLocked = this.disabled || this._action.running;
    if (key === "arrowdown" || key === "arrowup") this._focus(at + (key === "arrowdown" ? 1 : -1));
    else if (key === "a" && event.shiftKey && !isLocked) void this._settle(this._like(item), "accept");
    else if (key === "a" && !isLocked) void this._settle([item], "accept");
    else if (key === "k" && !isLocked) void this._settle([item], "keep");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private async _settle(items: readonly Disagreement[], how: "accept" | "keep"): Promise<void> {
    const at = Math.min(...items.map((item) => this._items.indexOf(item)));
    const { session, datasetName: dataset, tagger } = this;
    const request = { dataset, tagger, accept: how === "accept" ? items : [], keep: how === "keep" ? items : [] };
    const done = await this._action.run(how, async () => {
      await settleDisagreements(session, request);
      return true;
    });
    if (!done) return;
    const settled = new Set(items);
    this._items = this._items.filter((item) => !settled.has(item));
    this._total -= items.length;
    this._awaitsOwn = how === "accept";
    if (how === "accept") this.dispatchEvent(new CustomEvent("captions-change", { detail: t("disagreements.done", { n: items.length }) }));
    await this.updateComplete;
    this._focus(Math.min(at, this._items.length - 1));
  }

  private async _load(): Promise<void> {
    this._isStale = false;
    const list = await this._action.run("load", () => readDisagreements(this.session, this.datasetName, this.tagger));
    if (list === undefined) return;
    this._items = list.items;
    this._total = list.total;
  }

  private _focus(at: number): void {
    this.shadowRoot?.querySelector<HTMLElement>(`li[data-at="${Math.max(0, Math.min(at, FIRST - 1))}"]`)?.focus();
  }
}

function groupOf({ kind, tag }: Disagreement): string {
  return `${kind} ${tag}`;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-disagreements": TlDisagreements;
  }
}
