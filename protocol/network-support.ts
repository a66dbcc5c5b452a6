import type { WebuiFlavour } from "./host.js";
import type { NetworkType } from "./network-settings.js";

/** A WebUI's answer to each kind of network: `true`, or the first version that loads it, or `null` where nobody has looked. */
export type NetworkSupport = {
  readonly flavour: Exclude<WebuiFlavour, "unknown">;
  readonly name: string;
  readonly loads: Readonly<Record<NetworkType, string | true | null>>;
};

/**
 * Which WebUI loads which network; by the module types of AUTOMATIC1111 1.6.0 to 1.10.1, and the weight adapters of Forge and
 * reForge. An unknown kind makes A1111 refuse the whole file, so the table errs to the side of "not before".
 */
export const NETWORK_SUPPORT: readonly NetworkSupport[] = [
  { flavour: "a1111", name: "AUTOMATIC1111", loads: { lora: "1.6.0", locon: "1.6.0", dora: "1.9.0", loha: "1.6.0", lokr: "1.6.0" } },
  { flavour: "forge", name: "Forge", loads: { lora: true, locon: true, dora: true, loha: true, lokr: true } },
  { flavour: "reforge", name: "reForge", loads: { lora: true, locon: true, dora: true, loha: true, lokr: true } },
  { flavour: "forgeClassic", name: "Forge Classic, Neo", loads: { lora: true, locon: true, dora: null, loha: null, lokr: null } },
];

/** Whether a WebUI loads this kind of network; null: nobody knows, as for a version that is told by no number. */
export function loadsNetwork(type: NetworkType, webui: { flavour: WebuiFlavour; version: string }): boolean | null {
  const row = NETWORK_SUPPORT.find(({ flavour }) => flavour === webui.flavour);
  const first = row?.loads[type] ?? null;
  if (first === null || first === true) return first;
  const version = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(webui.version);
  return version === null ? null : compare(numbers(version[0]), numbers(first)) >= 0;
}

function numbers(version: string): number[] {
  return version.split(".").map(Number);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0));
  return at === undefined ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
