"""The noise and the timesteps of a step, by kohya's formulas, as a pure function of seed and place."""

import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.randomness import derived_seed, generator
from trainer.settings import Settings

Place = tuple[int, ...]
"""(step,) of the first micro-batch, (step, micro-batch) of the others."""


@dataclass(frozen=True)
class Noise:
    """`target` is what the model should tell from the picture, `added` what really lies on it; both (B, 4, h, w)."""

    target: Tensor
    added: Tensor
    timesteps: Tensor


def draw_noise(settings: Settings, place: Place, clean: Tensor) -> Noise:
    """Noise for latents (B, 4, h, w) on the CPU, with timesteps (B,) in minTimestep … maxTimestep − 1."""
    source = generator(settings.seed, "noise", *place)
    timesteps = torch.randint(settings.min_timestep, settings.max_timestep, clean.shape[:1], generator=source)
    noise = torch.randn(clean.shape, generator=source)
    if settings.noise_offset:
        noise = _offset(noise, clean, settings, place)
    if settings.multires_noise_iterations:
        noise = _multires(noise, settings, place)
    return Noise(noise, _perturbed(noise, settings, place), timesteps)


def add_noise(clean: Tensor, noise: Tensor, alphas: Tensor) -> Tensor:
    """Forward diffusion of latents (B, 4, h, w) with ᾱ (B,)."""
    alphas = alphas.view(-1, 1, 1, 1)
    return alphas.sqrt() * clean + (1 - alphas).sqrt() * noise


def _offset(noise: Tensor, clean: Tensor, settings: Settings, place: Place) -> Tensor:
    source = generator(settings.seed, "noiseOffset", *place)
    strength: float | Tensor = settings.noise_offset
    if settings.noise_offset_random_strength:
        strength *= float(torch.rand(1, generator=source))
    if settings.adaptive_noise_scale:
        means = clean.mean(dim=(2, 3), keepdim=True).abs()
        strength = (strength + settings.adaptive_noise_scale * means).clamp(min=0)
    return noise + strength * torch.randn((*noise.shape[:2], 1, 1), generator=source)


def _multires(noise: Tensor, settings: Settings, place: Place) -> Tensor:
    source = generator(settings.seed, "multiresNoise", *place)
    scales = random.Random(derived_seed(settings.seed, "multiresScale", *place))
    height, width = noise.shape[2:]
    for level in range(settings.multires_noise_iterations):
        step = scales.random() * 2 + 2
        rows, columns = max(1, int(height / step**level)), max(1, int(width / step**level))
        coarse = torch.randn((*noise.shape[:2], rows, columns), generator=source)
        share = settings.multires_noise_discount**level
        noise = noise + share * F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
        if rows == 1 or columns == 1:
            break
    return noise / noise.std()


def _perturbed(noise: Tensor, settings: Settings, place: Place) -> Tensor:
    if not settings.ip_noise_gamma:
        return noise
    source = generator(settings.seed, "ipNoise", *place)
    strength = settings.ip_noise_gamma
    if settings.ip_noise_gamma_random_strength:
        strength *= float(torch.rand(1, generator=source))
    return noise + strength * torch.randn(noise.shape, generator=source)
