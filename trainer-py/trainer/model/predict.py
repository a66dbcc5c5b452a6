"""One question to the UNet, whatever kind of model it belongs to."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trainer.model.base_model import BaseModel
from trainer.model.text import Conditioning

Size = tuple[int, int, int, int, int, int]
"""XL is told height and width of the original picture, top and left of the crop, height and width of what is left."""

_SIZE_WIDTH = 256


def predict(
    base: BaseModel, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning, sizes: Sequence[Size]
) -> Tensor:
    """What the UNet says to latents noisy (n, 4, h, w) at timesteps (n,), in float32; see `BaseModel.prediction`."""
    noisy = noisy.to(base.device, base.dtype, memory_format=torch.channels_last)
    vector = size_vector(base, conditioning.pooled, sizes)
    return base.unet(noisy, timesteps.to(base.device), conditioning.context, vector).float()


def size_vector(base: BaseModel, pooled: Tensor | None, sizes: Sequence[Size]) -> Tensor | None:
    """XL's second condition (n, vector width): pooled (n, width) and six sizes as waves of 256; None for the others."""
    if pooled is None:
        return None
    numbers = torch.tensor(sizes, device=base.device, dtype=torch.float32).flatten()
    half = _SIZE_WIDTH // 2
    rates = torch.exp(torch.arange(half, device=base.device) * (-math.log(10000) / half))
    angles = numbers[:, None] * rates
    waves = torch.cat([angles.cos(), angles.sin()], dim=-1).view(len(sizes), -1)
    return torch.cat([pooled, waves.to(pooled.dtype)], dim=-1)


def whole_size(height: int, width: int) -> Size:
    """An uncropped picture of `height` × `width` pixels."""
    return height, width, 0, 0, height, width
