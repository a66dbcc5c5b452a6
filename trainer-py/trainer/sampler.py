"""DDIM and Euler on a noise prediction, as the WebUI draws them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from trainer.unet import Unet

Denoise = Callable[[Tensor, float], Tensor]
"""Noise predicted in latents (n, 4, h, w) of unit variance at a timestep 0–999; it need not be whole."""

SAMPLERS = {"ddim": "DDIM", "euler": "Euler"}
"""Setting → the WebUI's name."""


def sample_latents(sampler: str, denoise: Denoise, noise: Tensor, alphas_cumprod: Tensor, steps: int) -> Tensor:
    """Latents (n, 4, h, w) from unit noise of the same shape, in float32; the result does not depend on its neighbours.

    alphas_cumprod: (1000,) float64.
    """
    draw = {"ddim": _ddim, "euler": _euler}[sampler]
    return draw(denoise, noise.float(), alphas_cumprod.cpu().double(), steps)


def cell_noise(seeds: Sequence[int], width: int, height: int) -> Tensor:
    """Unit noise (seeds, 4, height / 8, width / 8), each drawn on the CPU by its own seed (the WebUI's "RNG: CPU")."""
    shape = (4, height // 8, width // 8)
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def guided(unet: Unet, context: Tensor, negative: Tensor, cfg_scale: float) -> Denoise:
    """Classifier-free guidance; both predictions come from one call, a cell without and with after the other.

    context and negative: (n, tokens, width). A scale of 1 needs no second prediction and makes none.
    """
    dtype = unet.dtype
    if cfg_scale == 1:
        return lambda x, time: unet(x.to(dtype), _times(x, time), context).float()
    both = torch.stack([negative, context], dim=1).flatten(0, 1)

    def denoise(x: Tensor, time: float) -> Tensor:
        x = x.to(dtype).repeat_interleave(2, dim=0)
        predicted = unet(x, _times(x, time), both).float()
        without, with_text = predicted.unflatten(0, (-1, 2)).unbind(1)
        return torch.lerp(without, with_text, cfg_scale)

    return denoise


def _times(x: Tensor, time: float) -> Tensor:
    return torch.full((len(x),), time, device=x.device)


def ddim_timesteps(steps: int) -> list[int]:
    """Ascending timesteps. The WebUI's spacing: each 1000 // steps, plus 1; the lowest one is where drawing ends.

    So 20 steps predict 19 times, as they do there; a step count that does not divide 1000 predicts once more.
    """
    times = [min(time + 1, 999) for time in range(0, 1000, 1000 // steps)]
    return times if len(times) > 1 else [1, 999]


def euler_sigmas(alphas_cumprod: Tensor, steps: int) -> tuple[list[float], list[float]]:
    """k-diffusion's default schedule: timesteps 999 → 0, and their sigmas with a last 0."""
    log_sigmas = ((1 - alphas_cumprod) / alphas_cumprod).sqrt().log()
    times = torch.linspace(999, 0, steps, dtype=torch.float64)
    low, high = times.floor().long(), times.ceil().long()
    sigmas = torch.lerp(log_sigmas[low], log_sigmas[high], times - low).exp()
    return times.tolist(), [*sigmas.tolist(), 0.0]


def _ddim(denoise: Denoise, x: Tensor, alphas_cumprod: Tensor, steps: int) -> Tensor:
    times = ddim_timesteps(steps)
    for index in range(len(times) - 1, 0, -1):
        alpha = float(alphas_cumprod[times[index]])
        before = float(alphas_cumprod[times[index - 1]])
        noise = denoise(x, times[index])
        clean = (x - (1 - alpha) ** 0.5 * noise) / alpha**0.5
        x = before**0.5 * clean + (1 - before) ** 0.5 * noise
    return x


def _euler(denoise: Denoise, x: Tensor, alphas_cumprod: Tensor, steps: int) -> Tensor:
    times, sigmas = euler_sigmas(alphas_cumprod, steps)
    x = x * sigmas[0]
    for index, time in enumerate(times):
        noise = denoise(x / (sigmas[index] ** 2 + 1) ** 0.5, time)
        x = x + noise * (sigmas[index + 1] - sigmas[index])
    return x
