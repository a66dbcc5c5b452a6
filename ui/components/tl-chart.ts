import { css, html, LitElement, type PropertyValues, type TemplateResult, unsafeCSS } from "lit";
import { property } from "lit/decorators.js";
import uPlot from "uplot";
import plotStyles from "uplot/dist/uPlot.min.css?inline";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { plotColours } from "./plot.js";

export type ChartOptions = (colours: ReturnType<typeof plotColours>) => Omit<uPlot.Options, "width" | "height">;

/** uPlot in an element: follows the element's width and the colour scheme, and keeps all its styles inside. */
@customElement("tl-chart")
export class TlChart extends LitElement {
  static override styles = [
    unsafeCSS(plotStyles),
    text,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .u-legend {
        text-align: start;
        font-size: var(--tl-text-small);
        font-variant-numeric: tabular-nums;
      }
      .u-legend th,
      .u-legend td {
        border: 0;
        padding: 2px 4px;
      }
      .u-legend th {
        color: var(--tl-text);
      }
    `,
  ];

  /** What is said to those who can't see the chart. */
  @property() label = "";
  @property({ type: Number }) height = 220;
  @property({ attribute: false }) options: ChartOptions | null = null;
  @property({ attribute: false }) data: uPlot.AlignedData = [[]];
  private _plot: uPlot | null = null;
  private _resize: ResizeObserver | null = null;
  private _colours: MutationObserver | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this._resize = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width > 0) this._plot?.setSize({ width: entry.contentRect.width, height: this.height });
    });
    this._resize.observe(this);
    this._colours = new MutationObserver(() => this._build());
    this._colours.observe(outermostHost(this), { attributes: true, attributeFilter: ["scheme"] });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this._resize?.disconnect();
    this._colours?.disconnect();
    this._plot?.destroy();
    this._plot = null;
  }

  override render(): TemplateResult {
    return html`<div role="img" aria-label=${this.label}></div>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (!this._plot || changed.has("options")) this._build();
    else if (changed.has("data")) this._plot.setData(this.data);
  }

  private _build(): void {
    const holder = this.renderRoot.querySelector("div");
    if (!holder || !this.options) return;
    this._plot?.destroy();
    this._plot = new uPlot(
      { ...this.options(plotColours(this)), width: Math.max(120, this.clientWidth), height: this.height },
      this.data,
      holder,
    );
  }
}

// The app itself carries the colour scheme as an attribute.
function outermostHost(element: Element): Element {
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? outermostHost(root.host) : element;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-chart": TlChart;
  }
}
