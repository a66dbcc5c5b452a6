import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { LoraFacts } from "../data/loras.js";
import { formatNumber, formatSmall } from "../locales/format.js";
import { LocaleController, t } from "../locales/locale.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

const MOST_TAGS = 24;

/** How a LoRA was made, as the file itself tells. */
@customElement("tl-lora-facts")
export class TlLoraFacts extends LitElement {
  static override styles = [
    text,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap-large);
      }
      dl {
        display: grid;
        grid-template-columns: minmax(0, 2fr) minmax(0, 3fr);
        gap: 4px var(--tl-gap-large);
      }
      dt {
        color: var(--tl-subdued);
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 6px;
      }
      li {
        padding: 0 7px;
        border: 1px solid var(--tl-border);
        border-radius: var(--tl-radius-small);
        font-size: var(--tl-text-small);
      }
    `,
  ];

  @property({ attribute: false }) facts: LoraFacts | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { facts } = this;
    if (!facts) return html``;
    return html`
      <dl class="number">${rowsOf(facts).map(([label, value]) => html`<dt>${label}</dt><dd class="break">${value}</dd>`)}</dl>
      ${facts.card ? html`<div data-test="lora-card"><h3>${t("card.title")}</h3><dl>${cardRows(facts.card).map(([label, value]) => html`<dt>${label}</dt><dd class="break">${value}</dd>`)}</dl></div>` : nothing}
      ${
        facts.recipe.tags.length > 0
          ? html`<div><h3>${t("lora.tags")}</h3><ul>${facts.recipe.tags.slice(0, MOST_TAGS).map(({ tag, count }) => html`<li>${tag} <span class="subdued number">${count}</span></li>`)}</ul></div>`
          : nothing
      }
    `;
  }
}

function cardRows(card: NonNullable<LoraFacts["card"]>): [string, string][] {
  const weight = card["preferred weight"];
  const rows: [string, string | undefined][] = [
    [t("card.activationText"), card["activation text"]],
    // The WebUI's editor writes 0 for "no preference".
    [t("card.preferredWeight"), weight ? formatNumber(weight, 3) : undefined],
    [t("card.negativeText"), card["negative text"]],
    [t("card.description"), card.description],
    [t("card.notes"), card.notes],
  ];
  return rows.flatMap(([label, value]) => (value ? [[label, value] satisfies [string, string]] : []));
}

function rowsOf({ recipe, dims, modules, dtypes, hashes, kind }: LoraFacts): [string, string][] {
  const rows: [string, string | null][] = [
    [t("lora.trigger"), recipe.triggerCandidates.join(", ")],
    [t("fact.baseModel"), recipe.baseModel],
    [
      t("lora.epoch"),
      recipe.epoch === null
        ? null
        : t("lora.epochWords", { epoch: recipe.epoch, epochs: recipe.epochs ?? recipe.epoch, n: recipe.step ?? 0 }),
    ],
    [
      t("lora.network"),
      t("lora.networkWords", {
        kind,
        dim: dims.join(", "),
        alpha: recipe.networkAlpha === null ? "?" : formatNumber(recipe.networkAlpha, 3),
      }),
    ],
    [t("lora.modules"), t("lora.modulesWords", { unet: modules.unet, textEncoder: modules.textEncoder })],
    [t("lora.rates"), [recipe.unetLr, recipe.textEncoderLr].map((rate) => (rate === null ? "–" : formatSmall(rate))).join(" / ")],
    [t("lora.optimizer"), [recipe.optimizer, recipe.lrScheduler].filter(Boolean).join(", ")],
    [t("setting.batchSize"), recipe.batchSize === null ? null : formatNumber(recipe.batchSize)],
    [t("setting.resolution"), recipe.resolution],
    [t("setting.seed"), recipe.seed === null ? null : String(recipe.seed)],
    [t("setting.savePrecision"), dtypes.join(", ")],
    [
      t("lora.hash"),
      `${hashes.model.slice(0, 12)}${hashes.matches === null ? "" : ` · ${hashes.matches ? t("lora.hashMatches") : t("lora.hashDiffers")}`}`,
    ],
  ];
  return rows.flatMap(([label, value]) => (value ? [[label, value] satisfies [string, string]] : []));
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-lora-facts": TlLoraFacts;
  }
}
