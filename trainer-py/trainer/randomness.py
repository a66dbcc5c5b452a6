"""Random numbers as a pure function of the seed and a place in the run, so that a resumed run draws the same ones."""

import hashlib

import torch
from torch import Tensor


def derived_seed(seed: int, *place: int | str) -> int:
    """A 63-bit seed from the run's seed and a place such as ("noise", step)."""
    text = "/".join(str(part) for part in (seed, *place))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *place: int | str) -> torch.Generator:
    """A CPU generator for the place; noise is always drawn on the CPU so that devices agree."""
    return torch.Generator().manual_seed(derived_seed(seed, *place))


def step_noise(seed: int, step: int, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Noise of `shape` (batch, channels, height, width) and timesteps (batch,) in 0–999 for a step."""
    source = generator(seed, "noise", step)
    timesteps = torch.randint(0, 1000, shape[:1], generator=source)
    return torch.randn(shape, generator=source), timesteps
