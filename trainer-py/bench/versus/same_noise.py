"""The noise and the timesteps of a step, drawn alike for both programs."""

import torch
from torch import Tensor


def same_noise(step: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Noise of the shape of latents `like` (B, 4, h, w) and timesteps (B,) of 0–999, on the CPU; step counts from 0."""
    source = torch.Generator().manual_seed(1000 + step)
    timesteps = torch.randint(0, 1000, like.shape[:1], generator=source)
    return torch.randn(like.shape, generator=source), timesteps
