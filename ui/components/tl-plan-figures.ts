import { html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { Plan, PlanBucket, PlanWarning } from "../../protocol/plan.js";
import { formatBytes, formatNumber, formatPercent } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";
import { icon } from "./icon.js";
import { planFiguresStyles } from "./tl-plan-figures.styles.js";

/** Crops below this share are not worth a look. */
const NOTICEABLE_CROP = 0.02;

/**
 * What the server computed from the settings: steps, exposures, buckets, crops, tokens, disk, warnings.
 *
 * @fires plan-jump - `detail` is the PlanWarning whose cause the person wants to see.
 */
@customElement("tl-plan-figures")
export class TlPlanFigures extends LitElement {
  static override styles = [text, controls, planFiguresStyles];

  @property({ attribute: false }) plan: Plan | null = null;
  @property({ attribute: false }) urlOf: (image: string) => string = () => "";

  constructor() {
    super();
    new LocaleController(this);
  }

  // An empty element must not take a place in its parent's grid.
  protected override updated(): void {
    this.hidden = this.plan === null;
  }

  override render(): TemplateResult {
    const { plan } = this;
    if (!plan) return html``;
    return html`${renderSteps(plan)} ${this._renderWarnings(plan)} ${renderBuckets(plan)} ${this._renderCrops(plan)} ${renderCosts(plan)}`;
  }

  private _renderWarnings({ warnings }: Plan): TemplateResult | typeof nothing {
    if (warnings.length === 0) return nothing;
    return html`<ul class="warnings" aria-label=${t("plan.warnings")}>
      ${warnings.map(
        (warning) => html`<li data-warning=${warning.code}>
          <span class="warning">${icon("warning")}</span>
          <span class="grow"><strong>${t(`planWarning.${warning.code}`)}</strong> <span class="subdued">${warning.message}</span></span>
          <button class="small quiet" @click=${() => this._jump(warning)}>${t("plan.jump")}</button>
        </li>`,
      )}
    </ul>`;
  }

  private _renderCrops({ images }: Plan): TemplateResult | typeof nothing {
    const worst = images
      .filter(({ cropLoss }) => cropLoss >= NOTICEABLE_CROP)
      .sort((a, b) => b.cropLoss - a.cropLoss)
      .slice(0, 6);
    if (worst.length === 0) return nothing;
    return html`<section><h2>${t("plan.crops")}</h2>
      <ul class="crops">${worst.map(
        ({ id, cropLoss, bucket }) => html`<li title=${id}>
          ${this._renderThumbnail(id, bucket)}
          <span class="number fine">−${formatPercent(cropLoss)}</span>
        </li>`,
      )}</ul></section>`;
  }

  // The addresses come with the scan, which may arrive after the plan.
  private _renderThumbnail(id: string, [width, height]: PlanBucket["size"]): TemplateResult {
    const url = this.urlOf(id);
    const shape = `aspect-ratio: ${width} / ${height}`;
    return url ? html`<img src=${url} alt=${id} loading="lazy" style=${shape} />` : html`<span class="blank" style=${shape}></span>`;
  }

  private _jump(detail: PlanWarning): void {
    this.dispatchEvent(new CustomEvent<PlanWarning>("plan-jump", { detail }));
  }
}

function renderSteps(plan: Plan): TemplateResult {
  const trained = plan.images.filter((image) => !image.heldOut);
  const heldOut = plan.images.length - trained.length;
  const repeats = [...new Set(trained.map((image) => image.repeats))].sort((a, b) => a - b);
  return html`<dl class="sum number" data-test="plan-sum">
    <div><dt>${t("plan.perEpoch")}</dt>
      <dd>${t("plan.samples", { images: trained.length, repeats: repeats.map((value) => formatNumber(value)).join(" / "), samples: plan.samplesPerEpoch })}
        <span class="subdued">${t("plan.stepsPerEpoch", { n: plan.stepsPerEpoch, batch: plan.settings.batchSize })}</span></dd></div>
    <div><dt>${t("plan.total")}</dt><dd><strong>${t("plan.steps", { n: plan.totalSteps })}</strong> <span class="subdued">${t("plan.epochs", { n: plan.settings.epochs })}</span></dd></div>
    <div><dt>${t("plan.exposures")}</dt><dd>${t("plan.seen", { n: Math.round(plan.exposuresPerImage) })}</dd></div>
    ${heldOut > 0 ? html`<div><dt>${t("plan.heldOut")}</dt><dd>${t("plan.heldOutWords", { n: heldOut })}</dd></div>` : nothing}
  </dl>`;
}

function renderBuckets({ buckets }: Plan): TemplateResult {
  const most = Math.max(1, ...buckets.map((bucket) => bucket.samples));
  return html`<section><h2>${t("plan.buckets")}</h2><ul class="buckets">${[...buckets].sort((a, b) => b.samples - a.samples).map((bucket) => renderBucket(bucket, most))}</ul></section>`;
}

function renderBucket({ size, images, samples, batches }: PlanBucket, most: number): TemplateResult {
  return html`<li>
    <span class="number">${size[0]} × ${size[1]}</span>
    <span class="bar" style=${`--share: ${samples / most}`}></span>
    <span class="number subdued fine">${t("plan.bucket", { n: images, batches: t("plan.batches", { n: batches }) })}</span>
  </li>`;
}

function renderCosts(plan: Plan): TemplateResult {
  return html`<dl class="sum number">
    <div><dt>${t("plan.tokens")}</dt><dd>${t("plan.tokensWords", { most: plan.maxCaptionTokens, limit: plan.settings.maxTokenLength })}</dd></div>
    <div><dt>${t("plan.disk")}</dt><dd>${formatBytes(plan.diskBytes)} <span class="subdued">${t("plan.files", { n: plan.files.length })}</span></dd></div>
    <div><dt>${t("plan.file")}</dt><dd class="break"><code>${plan.files.at(-1)}</code></dd></div>
  </dl>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-plan-figures": TlPlanFigures;
  }
}
