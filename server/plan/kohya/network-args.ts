import type { BaseModel } from "../../../protocol/plan.js";
import type { ResolvedSettings } from "../../../protocol/settings.js";

/** What sd-scripts' network_args need beside one text for each setting, so that the network is the plan's. */
export function networkArgs(settings: ResolvedSettings, base: BaseModel): string[] {
  const isOwn = settings.networkType === "lora" || settings.networkType === "locon";
  return isOwn ? blockArgs(settings, base) : lycorisArgs(settings);
}

/** sd-scripts wants a number for each block, and reads block_alphas only beside block_dims. */
function blockArgs({ blockDims, blockAlphas, networkDim, networkAlpha }: ResolvedSettings, { kind }: BaseModel): string[] {
  if (blockDims === "" && blockAlphas === "") return [];
  const groups = String(kind) === "sdxl" ? SDXL_GROUPS : SD_GROUPS;
  return [`block_dims=${listOf(blockDims, networkDim, groups)}`, `block_alphas=${listOf(blockAlphas, networkAlpha, groups)}`];
}

type Group = "down" | "mid" | "up";
const groupsOf = (down: number, mid: number, up: number): Group[] => [
  ...Array<Group>(down).fill("down"),
  ...Array<Group>(mid).fill("mid"),
  ...Array<Group>(up).fill("up"),
];
const SD_GROUPS = groupsOf(12, 1, 12);
const SDXL_GROUPS = groupsOf(10, 3, 10);

function listOf(text: string, otherwise: number, groups: readonly Group[]): string {
  const items = text.split(/[\s,;]+/).filter(Boolean);
  if (items.length > 0 && !items.some((item) => item.includes("="))) return items.join(",");
  const named = new Map(items.map((item) => [item.slice(0, item.indexOf("=")), item.slice(item.indexOf("=") + 1)]));
  return groups.map((group) => named.get(group) ?? String(otherwise)).join(",");
}

/** LyCORIS changes convolutions with networkDim unless its preset leaves them out, and knows DoRA as an option of its LoRA. */
function lycorisArgs({ networkType, convDim }: ResolvedSettings): string[] {
  return [...(convDim === 0 ? ["preset=attn-mlp"] : []), ...(networkType === "dora" ? ["dora_wd=True", "wd_on_output=False"] : [])];
}
