"""Small changes of colour, so that a LoRA does not learn the colours of single pictures."""

import random

import numpy as np
import torch
from PIL import Image
from torch import Tensor

_SHARE = 0.33
_HUE_DEGREES = 16.0
_GAMMA = 0.05


def jittered(pixels: Tensor, seed: int) -> Tensor:
    """Pixels (3, height, width) in -1…1: about one time of three another hue (up to ±16°) or gamma (±5 %), else as they
    are. The shares and strengths are those of kohya's color_aug.
    """
    source = random.Random(seed)
    if source.random() >= _SHARE:
        return pixels
    unit = (pixels + 1) / 2
    if source.random() < 0.5:
        changed = _turned(unit, source.uniform(-_HUE_DEGREES, _HUE_DEGREES))
    else:
        changed = unit.pow(source.uniform(1 - _GAMMA, 1 + _GAMMA))
    return changed * 2 - 1


def _turned(unit: Tensor, degrees: float) -> Tensor:
    picture = Image.fromarray((unit.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8), "RGB").convert("HSV")
    parts = np.array(picture)
    parts[..., 0] = (parts[..., 0].astype(np.int16) + round(degrees / 360 * 256)) % 256
    turned = np.array(Image.fromarray(parts, "HSV").convert("RGB"))
    return torch.from_numpy(turned).permute(2, 0, 1).float() / 255
