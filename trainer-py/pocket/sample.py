"""Draw pictures with the pocket model: DDIM with classifier-free guidance."""

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from pocket.nets import noise_schedule
from pocket.vae import LATENT_SCALE


@torch.no_grad()
def sample_latents(
    unet: UNet2DConditionModel,
    context: torch.Tensor,
    empty: torch.Tensor,
    seed: int,
    steps: int = 20,
    guidance: float = 4.0,
    size: int = 16,
) -> torch.Tensor:
    """Unit-scale latents (n, 4, size, size) for context (n, 77, 96); empty is the context (1, 77, 96) of ""."""
    alphas = noise_schedule().float()
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(len(context), 4, size, size, generator=generator)
    both = torch.cat([empty.expand(len(context), -1, -1), context])
    times = torch.linspace(999, 0, steps + 1).round().long()[:-1]
    for index, time in enumerate(times):
        without, with_text = unet(torch.cat([latents, latents]), time, both).sample.chunk(2)
        noise = without + guidance * (with_text - without)
        clean = (latents - (1 - alphas[time]).sqrt() * noise) / alphas[time].sqrt()
        after = alphas[times[index + 1]] if index + 1 < steps else torch.tensor(1.0)
        latents = after.sqrt() * clean + (1 - after).sqrt() * noise
    return latents


@torch.no_grad()
def to_pictures(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Pictures uint8 (n, 8·size, 8·size, 3) of unit-scale latents."""
    pictures = vae.decode(latents / LATENT_SCALE).sample
    return ((pictures.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
