"""How much noise each timestep has."""

import math

import torch
from torch import Tensor


def noise_schedule(*, zero_terminal_snr: bool = False) -> Tensor:
    """Cumulative alphas (1000,), float64, of Stable Diffusion's scaled-linear betas .00085 to .012.

    zero_terminal_snr: shifted and scaled so that the last one is 0 and the first one stays (arXiv 2305.08891, §3.1).
    """
    betas = torch.linspace(math.sqrt(0.00085), math.sqrt(0.012), 1000, dtype=torch.float64) ** 2
    alphas = torch.cumprod(1 - betas, dim=0)
    if not zero_terminal_snr:
        return alphas
    roots = alphas.sqrt()
    first, last = roots[0], roots[-1]
    return ((roots - last) * first / (first - last)) ** 2
