import type { CheckpointKind } from "./checkpoint-kind.js";
import type { Prediction } from "./model-prediction.js";

/** The VAE of Stable Diffusion halves a side three times. */
const PIXELS_PER_LATENT = 8;
const ORDINARY_CHANNELS = 320;

/**
 * Side in pixels of the square that a checkpoint was trained at: `image_size` of its sidecar yaml is in latents; without one the
 * ordinary size of its kind. The files of Stable Diffusion 2 name the same size for both of its resolutions, so they only count for
 * models of an unusual width.
 */
export function modelResolution(kind: CheckpointKind, prediction: Prediction, yaml: string, channels: number | null): number {
  const ordinary = kind === "sdxl" ? 1024 : kind === "sd2" && prediction === "v" ? 768 : 512;
  const latents = imageSizeOf(yaml);
  if (latents === null || (kind !== "sd1" && channels === ORDINARY_CHANNELS)) return ordinary;
  return latents * PIXELS_PER_LATENT;
}

/**
 * `image_size` of a latent diffusion config; null when it has none. The UNet's own `image_size`, deeper in the tree, is
 * an unused 32 in the config of Stable Diffusion 1, so the least indented one counts.
 */
export function imageSizeOf(yaml: string): number | null {
  const found = [...yaml.matchAll(/^([ \t]*)(['"]?)image_size\2[ \t]*:[ \t]*(\d+)[ \t]*(?:#.*)?\r?$/gm)];
  const [first] = found.sort((a, b) => (a[1]?.length ?? 0) - (b[1]?.length ?? 0));
  const value = Number(first?.[3]);
  return Number.isInteger(value) && value > 0 ? value : null;
}
