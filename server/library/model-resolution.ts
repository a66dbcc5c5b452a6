import { readFile } from "node:fs/promises";

/** Pixels of Stable Diffusion 1, assumed where no sidecar says otherwise. */
const SD1_RESOLUTION = 512;
/** The VAE of Stable Diffusion halves a side three times. */
const PIXELS_PER_LATENT = 8;

/**
 * Side in pixels of the square that a checkpoint was trained at: `image_size` of the sidecar `<name>.yaml` is in latents.
 * 512 where there is no sidecar or it does not say.
 */
export async function readModelResolution(checkpointPath: string): Promise<number> {
  const sidecar = checkpointPath.replace(/\.[^.\\/]+$/, ".yaml");
  // A checkpoint without a sidecar is the usual case.
  const text = await readFile(sidecar, "utf8").catch(() => "");
  const latents = imageSizeOf(text);
  return latents === null ? SD1_RESOLUTION : latents * PIXELS_PER_LATENT;
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
