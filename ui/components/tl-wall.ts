import { html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { DatasetImage, ProblemCode } from "../../protocol/dataset.js";
import { gradeOf } from "../../protocol/sorting.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";
import { wallStyles } from "./tl-wall.styles.js";
import { all, choose, noChoice, type Pointing, type WallChoice } from "./wall-choice.js";
import { rowsInSight, type WallLayout, wallLayout } from "./wall-layout.js";

const GAP = 8;
/** A wall that is scrolled by more screens a second than this fetches nothing: it would be gone before it is there. */
const FAST_SCREENS = 5;
const SETTLED_MS = 110;

/**
 * Thumbnails that are walked with the arrow keys. Only those near the screen exist, so that any number of pictures scrolls smoothly.
 *
 * @fires wall-choose - `detail` is the new WallChoice.
 * @fires wall-open - `detail` is the id of the picture to show large.
 */
@customElement("tl-wall")
export class TlWall extends LitElement {
  static override styles = [controls, wallStyles];

  @property({ attribute: false }) images: readonly DatasetImage[] = [];
  @property({ attribute: false }) urlOf: (image: DatasetImage, size: number) => string = () => "";
  /** The problems that this wall marks. */
  @property({ attribute: false }) codes: ReadonlySet<ProblemCode> = new Set();
  @property({ attribute: false }) choice: WallChoice = noChoice;
  /** Wished side of a thumbnail in CSS pixels. */
  @property({ type: Number }) size = 168;
  @state() private _layout: WallLayout = wallLayout({ count: 0, width: 0, size: 168, gap: GAP });
  @state() private _rows = { first: 0, end: 0 };
  @state() private _isFast = false;
  @query(".wall") private readonly _list!: HTMLElement;
  @query(".anchor") private readonly _anchor!: HTMLElement;
  private readonly _resize = new ResizeObserver(() => this._measure());
  private readonly _seen = new Set<string>();
  private _frame = 0;
  private _settled: ReturnType<typeof setTimeout> | undefined;
  private _last = { top: 0, at: 0 };

  constructor() {
    super();
    new LocaleController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this._resize.observe(this);
    addEventListener("scroll", this._onScroll, { capture: true, passive: true });
    addEventListener("resize", this._onScroll, { passive: true });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this._resize.disconnect();
    removeEventListener("scroll", this._onScroll, { capture: true });
    removeEventListener("resize", this._onScroll);
    cancelAnimationFrame(this._frame);
    clearTimeout(this._settled);
  }

  /** Puts the keyboard on the wall and the picture into sight. */
  async focusImage(id: string): Promise<void> {
    await this.updateComplete;
    this._list.focus({ preventScroll: true });
    this.reveal(id);
  }

  /** Scrolls as little as is needed to see a picture. */
  reveal(id: string): void {
    const at = this.images.findIndex((image) => image.id === id);
    if (at < 0) return;
    const row = Math.floor(at / this._layout.columns);
    this._anchor.style.transform = `translateY(${row * this._layout.pitch}px)`;
    this._anchor.scrollIntoView({ block: "nearest" });
  }

  protected override shouldUpdate(changed: PropertyValues): boolean {
    // `urlOf` is a new function at each render of the page and changes nothing by itself.
    return [...changed.keys()].some((key) => key !== "urlOf") || changed.size === 0;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("images") || changed.has("size")) this._measure();
  }

  override render(): TemplateResult {
    const { columns, height, cell } = this._layout;
    const first = this._rows.first * columns;
    const shown = this.images.slice(first, this._rows.end * columns);
    const current = this.choice.current;
    return html`<div
      class="wall"
      role="listbox"
      aria-multiselectable="true"
      aria-label=${t("wall.label")}
      aria-activedescendant=${shown.some(({ id }) => id === current) ? "current" : ""}
      tabindex="0"
      style=${`height: ${height}px; --cell: ${cell}px`}
      @keydown=${this._onKeydown}
    >
      <div class="anchor" style=${`height: ${cell}px`}></div>
      ${repeat(
        shown,
        (image) => image.id,
        (image, index) => this._renderImage(image, first + index),
      )}
    </div>`;
  }

  private _renderImage(image: DatasetImage, index: number): TemplateResult {
    const { columns, pitch, cell } = this._layout;
    const problems = image.problems.filter((code) => this.codes.has(code)).map((code) => t(`problem.${code}`));
    const isCurrent = image.id === this.choice.current;
    const place = `transform: translate(${(index % columns) * pitch}px, ${Math.floor(index / columns) * pitch}px)`;
    const isWeak = gradeOf(image.subset) === "weak";
    return html`<div
      class="cell ${isCurrent ? "current" : ""} ${isWeak ? "weak" : ""}"
      role="option"
      id=${isCurrent ? "current" : `cell-${index}`}
      data-image=${image.id}
      aria-selected=${this.choice.chosen.has(image.id)}
      aria-setsize=${this.images.length}
      aria-posinset=${index + 1}
      aria-label=${problems.length > 0 ? t("wall.withProblems", { name: image.id, problems: problems.join(", ") }) : image.id}
      title=${problems.join(", ")}
      style=${place}
      @click=${(event: MouseEvent) => this._onClick(event, image.id)}
    >
      <img src=${this._source(image, cell)} alt="" decoding="async" draggable="false" />
      ${isWeak ? html`<span class="grade">${t("grade.weak")}</span>` : ""}
      ${problems.length > 0 ? html`<span class="mark">${icon("warning")}</span>` : ""}
    </div>`;
  }

  /** Nothing for a picture that is rushed past, unless the browser has it already. */
  private _source(image: DatasetImage, cell: number): string {
    const url = this.urlOf(image, thumbnailSize(cell));
    if (this._isFast && !this._seen.has(url)) return BLANK;
    this._seen.add(url);
    return url;
  }

  private _onClick(event: MouseEvent, id: string): void {
    this._list.focus({ preventScroll: true });
    const how: Pointing = event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? "toggle" : "one";
    const isSecond = how === "one" && id === this.choice.current && this.choice.chosen.size <= 1;
    if (isSecond) this._say("wall-open", id);
    else this._choose(id, how);
  }

  private _onKeydown(event: KeyboardEvent): void {
    const ids = this.images.map((image) => image.id);
    const { current } = this.choice;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
      event.preventDefault();
      this._say("wall-choose", all(this.choice, ids));
      return;
    }
    if ((event.key === " " || event.key === "Enter") && current !== null) {
      event.preventDefault();
      this._say("wall-open", current);
      return;
    }
    const target = this._targetOf(event.key, current === null ? -1 : ids.indexOf(current));
    const id = target === null ? undefined : ids[target];
    if (id === undefined || event.altKey) return;
    event.preventDefault();
    this._choose(id, event.shiftKey ? "range" : "one");
    this.reveal(id);
  }

  /** Index to which a key leads from `at`; null for other keys and where there is no picture. */
  private _targetOf(key: string, at: number): number | null {
    const { columns, pitch } = this._layout;
    const last = this.images.length - 1;
    const screen = columns * Math.max(1, Math.floor(innerHeight / pitch) - 1);
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (key === "Home") return 0;
    if (key === "End") return last;
    if (key === "PageDown") return Math.min(last, at + screen);
    if (key === "PageUp") return Math.max(0, at - screen);
    const step = steps[key];
    if (step === undefined) return null;
    const target = at < 0 ? 0 : at + step;
    return target < 0 || target > last ? null : target;
  }

  private _choose(id: string, how: Pointing): void {
    const ids = this.images.map((image) => image.id);
    this._say("wall-choose", choose(this.choice, ids, id, how));
  }

  private _measure(): void {
    const width = this.clientWidth;
    if (width === 0) return;
    const layout = wallLayout({ count: this.images.length, width, size: this.size, gap: GAP });
    if (JSON.stringify(layout) !== JSON.stringify(this._layout)) this._layout = layout;
    const top = -this.getBoundingClientRect().top;
    const rows = rowsInSight(layout, top, top + innerHeight);
    if (rows.first !== this._rows.first || rows.end !== this._rows.end) this._rows = rows;
  }

  private readonly _onScroll = (): void => {
    if (this._frame !== 0) return;
    this._frame = requestAnimationFrame(() => {
      this._frame = 0;
      this._noteSpeed();
      this._measure();
    });
  };

  private _noteSpeed(): void {
    const now = performance.now();
    const { top } = this.getBoundingClientRect();
    const screens = Math.abs(top - this._last.top) / innerHeight;
    const seconds = Math.max(0.008, (now - this._last.at) / 1000);
    this._last = { top, at: now };
    this._isFast = screens > 0.25 && screens / seconds > FAST_SCREENS;
    clearTimeout(this._settled);
    if (this._isFast) this._settled = setTimeout(() => (this._isFast = false), SETTLED_MS);
  }

  private _say(type: string, detail: string | WallChoice): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const SIZES = [128, 192, 320, 448, 640] as const;

/** Few sizes, so that moving the slider does not draw every thumbnail anew. */
function thumbnailSize(cell: number): number {
  const wanted = cell * Math.min(2, devicePixelRatio);
  return SIZES.find((size) => size >= wanted) ?? 640;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-wall": TlWall;
  }
}
