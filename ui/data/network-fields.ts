import { NetworkType } from "../../protocol/network-settings.js";
import type { SettingField } from "./setting-field.js";

/** How the settings of the network are asked for. */
export const networkFields: readonly SettingField[] = [
  { key: "networkType", group: "network", kohya: "network_module network_args algo", kind: "choice", options: NetworkType.options },
  { key: "convDim", group: "network", kohya: "network_args conv_dim", kind: "number", min: 0, max: 1024, step: 1 },
  { key: "convAlpha", group: "network", kohya: "network_args conv_alpha", kind: "number", min: 0, step: "any" },
  { key: "blockDims", group: "network", kohya: "network_args block_dims", kind: "text" },
  { key: "blockAlphas", group: "network", kohya: "network_args block_alphas", kind: "text" },
  { key: "lokrFactor", group: "network", kohya: "network_args factor", kind: "number", min: -1, max: 1024, step: 1 },
  { key: "decomposeBoth", group: "network", kohya: "network_args decompose_both", kind: "switch" },
  { key: "networkDropout", group: "network", kohya: "network_dropout", kind: "number", min: 0, max: 0.99, step: "any" },
  { key: "rankDropout", group: "network", kohya: "network_args rank_dropout", kind: "number", min: 0, max: 0.99, step: "any" },
  { key: "moduleDropout", group: "network", kohya: "network_args module_dropout", kind: "number", min: 0, max: 0.99, step: "any" },
  { key: "scaleWeightNorms", group: "network", kohya: "scale_weight_norms", kind: "number", min: 0, step: "any" },
  { key: "loraPlusRatio", group: "network", kohya: "network_args loraplus_lr_ratio", kind: "number", min: 0, step: "any" },
  { key: "networkWeights", group: "network", kohya: "network_weights dim_from_weights", kind: "text" },
];
