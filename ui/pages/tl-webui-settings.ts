import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { GpuPolicy, type HostFacts, type HostSettings, type HostState } from "../../protocol/host.js";
import { ActionController } from "../components/action-controller.js";
import { customElement } from "../components/custom-element.js";
import "../components/tl-failure.js";
import { setHostSettings } from "../data/drawing.js";
import type { Session } from "../data/session.js";
import { flavourName } from "../data/webui-state.js";
import { LocaleController, t } from "../locales/locale.js";
import { controls } from "../styles/controls.js";
import { text } from "../styles/text.js";

const abilities = ["useLoras", "xyzAxes", "pasteText", "leaseGpu", "renderCells"] as const;

/** How we live with the WebUI, and what we know of it. */
@customElement("tl-webui-settings")
export class TlWebuiSettings extends LitElement {
  static override styles = [
    text,
    controls,
    css`
      :host {
        display: grid;
        gap: var(--tl-gap-large);
      }
      fieldset {
        display: grid;
        gap: 4px;
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
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        align-items: baseline;
        gap: 0 8px;
        min-height: var(--tl-control);
      }
      label span {
        grid-column: 2;
      }
      dl {
        display: grid;
        grid-template-columns: minmax(100px, auto) minmax(0, 1fr);
        gap: 6px var(--tl-gap-large);
      }
      dt {
        color: var(--tl-subdued);
      }
    `,
  ];

  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) host: HostState | null = null;
  @property({ type: Boolean }) locked = false;
  @property({ type: Boolean }) hideFolders = false;
  /** Chosen, and not yet seen in the host's state. */
  @state() private _wanted: Partial<HostSettings> = {};
  private readonly _action = new ActionController(this);

  constructor() {
    super();
    new LocaleController(this);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // The page draws news once a frame, later than an answer comes: what was taken over stays as chosen until then.
    if (changed.has("host") && !this._action.running) this._wanted = {};
  }

  override render(): TemplateResult {
    const { host } = this;
    if (!host) return html``;
    const { gpuPolicy, drawAfterEachEpoch } = { ...host.settings, ...this._wanted };
    const isDisabled = this.locked || this._action.running;
    return html`
      <h2>${t("settings.webui")}</h2>
      <fieldset ?disabled=${isDisabled}>
        <legend>${t("settings.gpuPolicy")}</legend>
        ${GpuPolicy.options.map(
          (policy) =>
            html`<label><input type="radio" name="policy" value=${policy} .checked=${live(policy === gpuPolicy)} data-test="policy-${policy}" @change=${() => this._set({ gpuPolicy: policy })} />
              <strong>${t(`policy.${policy}`)}</strong><span class="subdued fine">${t(`policyHelp.${policy}`)}</span></label>`,
        )}
      </fieldset>
      <label><input type="checkbox" .checked=${live(drawAfterEachEpoch)} ?disabled=${isDisabled} data-test="settings-draw-after-epoch" @change=${(event: Event & { currentTarget: HTMLInputElement }) => this._set({ drawAfterEachEpoch: event.currentTarget.checked })} />
        <span>${t("settings.drawAfterEachEpoch")}</span></label>
      <tl-failure .failure=${this._action.failure}></tl-failure>
      <dl data-test="webui-facts">${this._rows(host).map(([label, values]) => html`<dt>${label}</dt><dd class="break">${values.map((value) => html`<div>${value}</div>`)}</dd>`)}</dl>
    `;
  }

  private _rows({ facts }: HostState): [string, string[]][] {
    const folders: [string, string[]][] = this.hideFolders
      ? []
      : [
          [t("settings.dataDir"), [facts.dataDir]],
          [t("settings.loraDir"), [facts.loraDir]],
          [t("settings.checkpointDirs"), facts.checkpointDirs],
        ];
    const rows: [string, string[]][] = [
      [t("settings.flavour"), [`${flavourName(facts) ?? t("settings.flavourUnknown")} ${facts.version}`]],
      [t("settings.gradio"), [facts.gradioVersion]],
      [t("settings.python"), [facts.pythonVersion]],
      ...folders,
      [t("settings.flags"), facts.flags.length > 0 ? [facts.flags.join(" ")] : []],
      [t("settings.cannot"), inabilities(facts)],
    ];
    return rows.filter(([, values]) => values.length > 0);
  }

  private async _set(settings: Partial<HostSettings>): Promise<void> {
    this._wanted = settings;
    const kept = await this._action.run("set", () => setHostSettings(this.session, settings));
    // What was refused must not stay ticked.
    if (!kept) this._wanted = {};
  }
}

function inabilities({ can }: HostFacts): string[] {
  return abilities.filter((ability) => !can[ability]).map((ability) => t(`cannot.${ability}`));
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-webui-settings": TlWebuiSettings;
  }
}
