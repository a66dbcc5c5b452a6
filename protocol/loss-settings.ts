import { z } from "zod";

/** What noise is learnt from and how much each difference counts: fields of Settings, by kohya's formulas. */
export const lossFields = {
  /** (`loss_type`) */
  lossType: z.enum(["l2", "l1", "huber", "smooth_l1"]).default("l2"),
  /** (`huber_c`, `huber_schedule`) where huber and smooth_l1 turn from square to straight. */
  huberC: z.number().positive().max(1).default(0.1),
  huberSchedule: z.enum(["snr", "exponential", "constant"]).default("snr"),
  /** (`min_snr_gamma`) 5 is usual; 0: off. */
  minSnrGamma: z.number().nonnegative().default(0),
  /** (`debiased_estimation_loss`) */
  debiasedEstimation: z.boolean().default(false),
  /** (`scale_v_pred_loss_like_noise_pred`) of a v-prediction model: weighs as the noise's loss would. */
  scaleVPredLossLikeNoisePred: z.boolean().default(false),
  /** (`v_pred_like_loss`) of an epsilon model: so much of a v-prediction's weight is added; 0: off. */
  vPredLikeLoss: z.number().nonnegative().max(1000).default(0),
  /** (`noise_offset`, `noise_offset_random_strength`) 0: off. */
  noiseOffset: z.number().nonnegative().max(10).default(0),
  noiseOffsetRandomStrength: z.boolean().default(false),
  /** (`adaptive_noise_scale`) is added to noiseOffset, times how far a channel's mean is from zero; 0: off. */
  adaptiveNoiseScale: z.number().min(-10).max(10).default(0),
  /** (`multires_noise_iterations`, `multires_noise_discount`) 0 iterations: off. */
  multiresNoiseIterations: z.int().nonnegative().max(64).default(0),
  multiresNoiseDiscount: z.number().nonnegative().max(1).default(0.3),
  /** (`ip_noise_gamma`, `ip_noise_gamma_random_strength`) 0: off. */
  ipNoiseGamma: z.number().nonnegative().max(10).default(0),
  ipNoiseGammaRandomStrength: z.boolean().default(false),
  /** (`zero_terminal_snr`) rescales the noise of a model that does not have it so already; for v-prediction. */
  zeroTerminalSnr: z.boolean().default(false),
  /** (`min_timestep`, `max_timestep`) timesteps from the first to the one before the last. */
  minTimestep: z.int().min(0).max(999).default(0),
  maxTimestep: z.int().min(1).max(1000).default(1000),
  /** (`alpha_mask`) transparent parts are not learnt. */
  alphaMask: z.boolean().default(false),
  /** (`masked_loss`) what is black in `<subset>/masks/<picture's name>.png` is not learnt. */
  maskedLoss: z.boolean().default(false),
  /** (`prior_loss_weight`) of regularisation pictures, those below `reg/`. */
  priorLossWeight: z.number().nonnegative().max(1000).default(1),
  /** Weight of staying with the base model's own prediction on captions without the trigger word; 0: off. */
  priorPreservation: z.number().nonnegative().max(1000).default(0),
  /** Every so many steps; each time costs about one and a half steps. */
  priorPreservationEvery: z.int().min(1).max(1000).default(1),
};
