import type { BaseModel } from "../../protocol/plan.js";
import type { ResolvedSettings } from "../../protocol/settings.js";

// Sum over the LoRA's modules of (inputs + outputs): attention, feed-forward and projections of Stable Diffusion 1's UNet, and of its text encoder.
const UNET_SIDES = 423_936;
const TEXT_ENCODER_SIDES = 165_888;
const MODULES = 264;
// Its checkpoint in 16 bits, with autoencoder.
const SD1_BYTES = 2.13e9;
// A narrower model's layers shrink about as the root of its weights; the margin covers other proportions.
const MARGIN = 1.5;

/**
 * Bytes that a run writes at most: LoRA files, the saved state (weights and two moments in 32 bits, old and new side by side while one
 * replaces the other) and grid pictures. The base model's layers are not looked at: Stable Diffusion 1's full width is
 * assumed, and less only for a base whose file is too small for that.
 */
export function diskBytes(baseModel: BaseModel, settings: ResolvedSettings, prompts: number): number {
  const weights = loraWeights(baseModel, settings);
  const file = weights * (settings.savePrecision === "float" ? 4 : 2) + MODULES * 512 + 65_536;
  const state = 2 * weights * 12;
  return Math.ceil(settings.epochs * file + state + gridBytes(settings, prompts));
}

/** Upper estimate of the numbers in one LoRA: a module of a inputs and b outputs has dim × (a + b). */
export function loraWeights(baseModel: BaseModel, { networkDim, textEncoderLr }: ResolvedSettings): number {
  const sides = UNET_SIDES + (textEncoderLr > 0 ? TEXT_ENCODER_SIDES : 0);
  const width = Math.min(1, MARGIN * Math.sqrt(baseModel.bytes / SD1_BYTES));
  return Math.ceil(networkDim * sides * width);
}

/** Cells as PNG at one and a half bytes per pixel each, which drawings and photos stay below, and the sheet with all of them. */
function gridBytes({ grid, epochs, resolution }: ResolvedSettings, prompts: number): number {
  if (!grid.enabled) return 0;
  const cells = (epochs * grid.weights.length + 1) * prompts * grid.seeds.length;
  return 2 * cells * resolution.width * resolution.height * 1.5;
}
