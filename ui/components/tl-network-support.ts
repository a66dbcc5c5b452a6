import { css, html, LitElement, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { WebuiFlavour } from "../../protocol/host.js";
import { NetworkType } from "../../protocol/network-settings.js";
import { loadsNetwork, NETWORK_SUPPORT } from "../../protocol/network-support.js";
import { LocaleController, t } from "../locales/locale.js";
import { text } from "../styles/text.js";
import { customElement } from "./custom-element.js";

/** Which WebUI loads which kind of network; the chosen kind and the connected WebUI stand out. */
@customElement("tl-network-support")
export class TlNetworkSupport extends LitElement {
  static override styles = [
    text,
    css`
      table {
        font-size: var(--tl-text-small);
      }
      th,
      td {
        padding: 4px 8px;
      }
      .chosen {
        background: var(--tl-tint);
      }
      tr[aria-current="true"] th {
        font-weight: 700;
      }
      div {
        overflow-x: auto;
      }
    `,
  ];

  @property() chosen: NetworkType = "lora";
  /** The connected WebUI; null: none. */
  @property({ attribute: false }) webui: { flavour: WebuiFlavour; version: string } | null = null;

  constructor() {
    super();
    new LocaleController(this);
  }

  override render(): TemplateResult {
    const { webui } = this;
    const name = NETWORK_SUPPORT.find(({ flavour }) => flavour === webui?.flavour)?.name;
    const isRefused = webui !== null && loadsNetwork(this.chosen, webui) === false;
    return html`<details ?open=${isRefused}>
      <summary>${t("networks.title")}</summary>
      ${isRefused ? html`<p role="status">${t("networks.no", { webui: `${name ?? ""} ${webui.version}` })}</p>` : ""}
      <div><table data-test="network-support">
        <thead><tr><th scope="col">${t("networks.webui")}</th>${NetworkType.options.map((type) => html`<th scope="col" class=${this._class(type)}>${type}</th>`)}</tr></thead>
        <tbody>${NETWORK_SUPPORT.map(
          (row) =>
            html`<tr aria-current=${row.flavour === webui?.flavour ? "true" : "false"}><th scope="row">${row.name}</th>${NetworkType.options.map((type) => html`<td class=${this._class(type)}>${words(row.loads[type])}</td>`)}</tr>`,
        )}</tbody>
      </table></div>
    </details>`;
  }

  private _class(type: NetworkType): string {
    return type === this.chosen ? "chosen" : "";
  }
}

function words(first: string | true | null): string {
  if (first === true) return t("networks.yes");
  return first === null ? t("networks.unknown") : t("networks.since", { version: first });
}

declare global {
  interface HTMLElementTagNameMap {
    "tl-network-support": TlNetworkSupport;
  }
}
