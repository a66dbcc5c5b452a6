import type { WebuiFlavour } from "../../protocol/host.js";
import type { NetworkType } from "../../protocol/network-settings.js";
import { loadsNetwork, NETWORK_SUPPORT } from "../../protocol/network-support.js";
import type { PlanWarning } from "../../protocol/plan.js";
import type { ResolvedSettings } from "../../protocol/settings.js";

/** The WebUI that is connected, as far as it says which one it is. */
export type WebuiVersion = { flavour: WebuiFlavour; version: string };

/** What a user should know about the kind of network that was chosen. */
export function networkWarnings(settings: ResolvedSettings, webui: WebuiVersion | null): PlanWarning[] {
  return [unsupported(settings, webui), unused(settings)].filter((warning) => warning !== null);
}

function unsupported({ networkType }: ResolvedSettings, webui: WebuiVersion | null): PlanWarning | null {
  if (webui === null || loadsNetwork(networkType, webui) !== false) return null;
  const row = NETWORK_SUPPORT.find(({ flavour }) => flavour === webui.flavour);
  const first = row?.loads[networkType];
  return {
    code: "network_unsupported",
    message: `The connected WebUI (${row?.name ?? webui.flavour} ${webui.version}) can't load a ${NETWORK_NAMES[networkType]}; update it to ${String(first)} or later, or choose another networkType.`,
    images: [],
  };
}

/** As users write them. */
export const NETWORK_NAMES: Readonly<Record<NetworkType, string>> = {
  lora: "LoRA",
  locon: "LoCon",
  dora: "DoRA",
  loha: "LoHa",
  lokr: "LoKr",
};

function unused(settings: ResolvedSettings): PlanWarning | null {
  const { networkType } = settings;
  const isOwn = networkType === "lora" || networkType === "locon";
  const isLokr = networkType === "lokr";
  const without: (keyof ResolvedSettings | false)[] = [
    !isOwn && settings.networkDropout > 0 && "networkDropout",
    (isLokr || networkType === "loha") && settings.loraPlusRatio !== 1 && "loraPlusRatio",
    !isLokr && settings.lokrFactor !== -1 && "lokrFactor",
    !isLokr && settings.decomposeBoth && "decomposeBoth",
  ];
  const names = without.filter((name) => name !== false);
  if (names.length === 0) return null;
  return {
    code: "network_settings_unused",
    message: `With ${NETWORK_NAMES[networkType]} ${names.join(" and ")} ${names.length === 1 ? "has" : "have"} no effect; leave ${names.length === 1 ? "it" : "them"} out, or choose another networkType.`,
    images: [],
  };
}
