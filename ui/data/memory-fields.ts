import { memoryFields as schemas } from "../../protocol/memory-settings.js";
import type { SettingField } from "./setting-field.js";

/** How the settings that save memory are asked for. */
export const memoryFields: readonly SettingField[] = [
  { key: "gradientCheckpointing", group: "memory", kohya: "gradient_checkpointing", kind: "switch" },
  { key: "baseWeights", group: "memory", kohya: "fp8_base", kind: "choice", options: schemas.baseWeights.unwrap().options },
];
