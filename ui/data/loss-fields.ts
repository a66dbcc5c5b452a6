import { lossFields as schemas } from "../../protocol/loss-settings.js";
import type { SettingField } from "./setting-field.js";

/** How the settings of noise and loss are asked for. */
export const lossFields: readonly SettingField[] = [
  { key: "lossType", group: "loss", kohya: "loss_type", kind: "choice", options: schemas.lossType.unwrap().options },
  { key: "huberC", group: "loss", kohya: "huber_c", kind: "number", min: 0, max: 1, step: "any" },
  { key: "huberSchedule", group: "loss", kohya: "huber_schedule", kind: "choice", options: schemas.huberSchedule.unwrap().options },
  { key: "minSnrGamma", group: "loss", kohya: "min_snr_gamma", kind: "number", min: 0, step: "any" },
  { key: "debiasedEstimation", group: "loss", kohya: "debiased_estimation_loss", kind: "switch" },
  { key: "scaleVPredLossLikeNoisePred", group: "loss", kohya: "scale_v_pred_loss_like_noise_pred", kind: "switch" },
  { key: "vPredLikeLoss", group: "loss", kohya: "v_pred_like_loss", kind: "number", min: 0, step: "any" },
  { key: "noiseOffset", group: "loss", kohya: "noise_offset", kind: "number", min: 0, step: "any" },
  { key: "noiseOffsetRandomStrength", group: "loss", kohya: "noise_offset_random_strength", kind: "switch" },
  { key: "adaptiveNoiseScale", group: "loss", kohya: "adaptive_noise_scale", kind: "number", min: -10, max: 10, step: "any" },
  { key: "multiresNoiseIterations", group: "loss", kohya: "multires_noise_iterations", kind: "number", min: 0, step: 1 },
  { key: "multiresNoiseDiscount", group: "loss", kohya: "multires_noise_discount", kind: "number", min: 0, max: 1, step: "any" },
  { key: "ipNoiseGamma", group: "loss", kohya: "ip_noise_gamma", kind: "number", min: 0, step: "any" },
  { key: "ipNoiseGammaRandomStrength", group: "loss", kohya: "ip_noise_gamma_random_strength", kind: "switch" },
  { key: "zeroTerminalSnr", group: "loss", kohya: "zero_terminal_snr", kind: "switch" },
  { key: "minTimestep", group: "loss", kohya: "min_timestep", kind: "number", min: 0, max: 999, step: 1 },
  { key: "maxTimestep", group: "loss", kohya: "max_timestep", kind: "number", min: 1, max: 1000, step: 1 },
  { key: "alphaMask", group: "loss", kohya: "alpha_mask", kind: "switch" },
  { key: "maskedLoss", group: "loss", kohya: "masked_loss", kind: "switch" },
  { key: "priorLossWeight", group: "loss", kohya: "prior_loss_weight", kind: "number", min: 0, step: "any" },
  { key: "priorPreservation", group: "loss", kohya: "", kind: "number", min: 0, step: "any" },
  { key: "priorPreservationEvery", group: "loss", kohya: "", kind: "number", min: 1, step: 1 },
];
