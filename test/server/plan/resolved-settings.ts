import { ResolvedSettings, Settings } from "../../../protocol/settings.js";
import { resolveForBase } from "../../../server/plan/default-settings.js";

const baseModel = { name: "m", path: "/m.safetensors", kind: "sd1", resolution: 512, bytes: 2e9 } as const;

/** Settings as a plan of a Stable Diffusion 1 model answers them. */
export function resolvedSettings(settings: Partial<Settings> = {}): ResolvedSettings {
  const base = resolveForBase(Settings.parse(settings), { baseModel, datasetName: "zorp" });
  return ResolvedSettings.parse({ ...base, keepTokens: 0, maxTokenLength: 75, heldOutImages: 0 });
}
