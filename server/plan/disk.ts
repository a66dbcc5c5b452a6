import type { BaseModel } from "../../protocol/plan.js";
import type { ResolvedSettings } from "../../protocol/settings.js";

// Sums over the LoRA's modules of (inputs + outputs): attention, feed-forward and projections of the UNet, and of each text encoder;
// the same of the linear layers and of the kernels (inputs × 9 + outputs) that a LoCon changes besides, and the bytes of an ordinary
// checkpoint in 16 bits, with autoencoder.
const SIZES = {
  sd1: { unet: 423_936, text: 165_888, text2: 0, besides: 82_880, kernels: 544_000, modules: 264, checkpoint: 2.13e9 },
  sd2: { unet: 432_128, text: 423_936, text2: 0, besides: 82_880, kernels: 544_000, modules: 330, checkpoint: 2.58e9 },
  sdxl: { unet: 2_659_840, text: 165_888, text2: 737_280, besides: 58_560, kernels: 355_840, modules: 986, checkpoint: 6.94e9 },
} as const;
// Numbers kept for each weight, itself included, where they are not it and two moments.
const STATE_NUMBERS: Partial<Record<ResolvedSettings["optimizer"], number>> = { Prodigy: 5, DAdaptAdam: 4 };
// A narrower model's layers shrink about as the root of its weights; the margin covers other proportions.
const MARGIN = 1.5;

/**
 * Bytes that a run writes at most: LoRA files, the saved state (weights, moments and perhaps an average in 32 bits: that of the last
 * epoch, and an old and a new one while one replaces the other) and grid pictures. The base model's layers are not looked at: the full width of its kind is
 * assumed, and less only for a base whose file is too small for that.
 */
export function diskBytes(baseModel: BaseModel, settings: ResolvedSettings, prompts: number): number {
  const weights = loraWeights(baseModel, settings);
  const file = weights * (settings.savePrecision === "float" ? 4 : 2) + SIZES[baseModel.kind].modules * 512 + 65_536;
  const state = 3 * weights * 4 * ((STATE_NUMBERS[settings.optimizer] ?? 3) + (settings.emaDecay > 0 ? 1 : 0));
  return Math.ceil(settings.epochs * file + state + gridBytes(settings, prompts));
}

/**
 * Upper estimate of the numbers in one LoRA: a module of a inputs and b outputs has dim × (a + b); a LoHa has that twice, a LoKr no
 * more, and a DoRA one number for each input besides.
 */
export function loraWeights(baseModel: BaseModel, settings: ResolvedSettings): number {
  const { networkType, convDim, textEncoderLr, textEncoder2Lr } = settings;
  const { unet, text, text2, besides, kernels, checkpoint } = SIZES[baseModel.kind];
  const linear = unet + (textEncoderLr > 0 ? text : 0) + (textEncoder2Lr > 0 ? text2 : 0) + (convDim > 0 ? besides : 0);
  const numbers = largestDim(settings) * linear + convDim * kernels;
  const width = Math.min(1, MARGIN * Math.sqrt(baseModel.bytes / checkpoint));
  const copies = networkType === "loha" || networkType === "lokr" ? 2 : 1;
  return Math.ceil(width * (copies * numbers + (networkType === "dora" ? linear : 0)));
}

function largestDim({ networkDim, blockDims }: ResolvedSettings): number {
  return Math.max(networkDim, ...(blockDims.match(/\d+/g) ?? []).map(Number));
}

/** Cells as PNG at one and a half bytes per pixel each, which drawings and photos stay below, and the sheet with all of them. */
function gridBytes({ grid, epochs, resolution }: ResolvedSettings, prompts: number): number {
  if (!grid.enabled) return 0;
  const cells = (epochs * grid.weights.length + 1) * prompts * grid.seeds.length;
  return 2 * cells * resolution.width * resolution.height * 1.5;
}
