import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { PROTOCOL_VERSION, type Snapshot } from "../../protocol/messages.js";
import { customElement } from "../components/custom-element.js";
import { hidesFolders, mayChange } from "../data/access.js";
import { chooseScheme, hasHostTheme, type SchemeChoice, schemeChoice } from "../data/scheme.js";
import type { Session } from "../data/session.js";
import { type AppState, emptyState } from "../data/store.js";
import { formatBytes } from "../locales/format.js";
import { LocaleController, language, languages, setLanguage, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";
import "./tl-webui-settings.js";

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
      .wide {
        grid-column: 1 / -1;
      }
      dt {
        color: var(--tl-subdued);
      }
      h2 {
        margin-bottom: var(--tl-gap);
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
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
        hasHostTheme(this)
          ? nothing
          : html`<fieldset>
            <legend>${t("settings.scheme")}</legend>
            ${schemes.map((choice) => html`<label><input type="radio" name="scheme" value=${choice} .checked=${choice === schemeChoice()} @change=${() => this._onScheme(choice)} />${t(`scheme.${choice}`)}</label>`)}
          </fieldset>`
      }
      ${snapshot?.host ? html`<tl-webui-settings .session=${this.session} .host=${snapshot.host} ?locked=${!mayChange(this.state)} ?hideFolders=${hidesFolders(this.state)}></tl-webui-settings>` : nothing}
      ${snapshot ? this._renderFolders(snapshot) : nothing}
      <section>
        <h2>${t("settings.versions")}</h2>
        <dl><dt>Train LoRA</dt><dd>${serverVersion}</dd><dt>${t("settings.protocol")}</dt><dd>${PROTOCOL_VERSION}</dd></dl>
      </section>
    `;
  }

  private _renderFolders({ home, loraDir, baseModels }: Snapshot): TemplateResult {
    const isHidden = hidesFolders(this.state);
    return html`<section>
      <h2>${t("settings.paths")}</h2>
      <dl>
        ${
          isHidden
            ? html`<dd class="wide subdued">${t("settings.foldersHidden")}</dd>`
            : html`<dt>${t("settings.home")}</dt><dd class="break"><code>${home}</code></dd>
              <dt>${t("settings.loraDir")}</dt><dd class="break"><code>${loraDir}</code></dd>`
        }
        <dt>${t("settings.baseModels")}</dt>
        <dd>${baseModels.map(({ name, path, bytes }) => html`<div><strong>${name}</strong> <span class="subdued number">${formatBytes(bytes)}</span>${isHidden ? nothing : html`<br /><code class="break subdued">${path}</code>`}</div>`)}</dd>
      </dl>
    </section>`;
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
