import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { PROTOCOL_VERSION } from "../../protocol/messages.js";
import { customElement } from "../components/custom-element.js";
import { chooseScheme, hasHostTheme, type SchemeChoice, schemeChoice } from "../data/scheme.js";
import { type AppState, emptyState } from "../data/store.js";
import { formatBytes } from "../locales/format.js";
import { LocaleController, language, languages, setLanguage, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

const schemes: readonly SchemeChoice[] = ["auto", "light", "dark"];

/** Language, colours, and where everything lies. */
@customElement("tl-settings-page")
export class TlSettingsPage extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap-huge);
        max-width: 760px;
        margin-inline: auto;
      }
      fieldset {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--tl-gap-huge);
        margin: 0;
        padding: 0;
        border: 0;
      }
      legend {
        padding: 0;
        margin-bottom: 4px;
        font-weight: 600;
      }
      label {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        min-height: var(--tl-control);
      }
      dl {
        display: grid;
        grid-template-columns: minmax(100px, auto) minmax(0, 1fr);
        gap: 6px var(--tl-gap-large);
      }
      dt {
        color: var(--tl-subdued);
      }
      h2 {
        margin-bottom: var(--tl-gap);
      }
    `,
  ];

  @property({ attribute: false }) state: AppState = emptyState;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { snapshot, serverVersion } = this.state;
    return html`
      <h1>${t("nav.settings")}</h1>
      <fieldset>
        <legend>${t("settings.language")}</legend>
        ${languages.map(({ id, name }) => html`<label lang=${id}><input type="radio" name="language" value=${id} .checked=${id === language()} @change=${() => setLanguage(id)} />${name}</label>`)}
      </fieldset>
      ${
        hasHostTheme()
          ? nothing
          : html`<fieldset>
            <legend>${t("settings.scheme")}</legend>
            ${schemes.map((choice) => html`<label><input type="radio" name="scheme" value=${choice} .checked=${choice === schemeChoice()} @change=${() => this._onScheme(choice)} />${t(`scheme.${choice}`)}</label>`)}
          </fieldset>`
      }
      <section>
        <h2>${t("settings.paths")}</h2>
        <dl>
          <dt>${t("settings.home")}</dt><dd class="break"><code>${snapshot?.home}</code></dd>
          <dt>${t("settings.loraDir")}</dt><dd class="break"><code>${snapshot?.loraDir}</code></dd>
          <dt>${t("settings.baseModels")}</dt>
          <dd>${snapshot?.baseModels.map(({ name, path, bytes }) => html`<div><strong>${name}</strong> <span class="subdued number">${formatBytes(bytes)}</span><br /><code class="break subdued">${path}</code></div>`)}</dd>
        </dl>
      </section>
      <section>
        <h2>${t("settings.versions")}</h2>
        <dl><dt>Train LoRA</dt><dd>${serverVersion}</dd><dt>${t("settings.protocol")}</dt><dd>${PROTOCOL_VERSION}</dd></dl>
      </section>
    `;
  }

  private _onScheme(choice: SchemeChoice): void {
    chooseScheme(choice);
    this.dispatchEvent(new CustomEvent("scheme-change", { bubbles: true, composed: true }));
    this.requestUpdate();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-settings-page": TlSettingsPage;
  }
}
