"""DDIM and Euler, as the WebUI draws them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.model.unet import Unet

Denoise = Callable[[Tensor, float], Tensor]
"""What the model predicts of latents (n, 4, h, w) of unit variance at a timestep 0–999; it need not be whole."""

SAMPLERS = {"ddim": "DDIM", "euler": "Euler"}
"""Setting → the WebUI's name."""

_LEAST_ALPHA = 4.8973451890853435e-08
"""The WebUI's ᾱ of a last timestep without any signal, whose sigma would have no end."""


@dataclass(frozen=True)
class NoiseModel:
    """alphas_cumprod: (1000,) float64; prediction: "epsilon" or "v" of `Denoise`.

    trailing: the first step begins at timestep 999, as a model with zero terminal SNR needs it.
    """

    alphas_cumprod: Tensor
    prediction: str = "epsilon"
    trailing: bool = False


def sample_latents(sampler: str, denoise: Denoise, noise: Tensor, model: NoiseModel, steps: int) -> Tensor:
    """Latents (n, 4, h, w) from unit noise of the same shape, in float32; no result depends on its neighbours."""
    draw = {"ddim": _ddim, "euler": _euler}[sampler]
    return draw(denoise, noise.float(), model, steps)


def clean_and_noise(prediction: str, x: Tensor, predicted: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """The picture's latents and the noise that the prediction sees in x = √ᾱ · clean + √(1 − ᾱ) · noise."""
    root, rest = alpha**0.5, (1 - alpha) ** 0.5
    if prediction == "v":
        return root * x - rest * predicted, root * predicted + rest * x
    return (x - rest * predicted) / root, predicted


def cell_noise(seeds: Sequence[int], width: int, height: int) -> Tensor:
    """Unit noise (seeds, 4, height / 8, width / 8), each drawn on the CPU by its own seed (the WebUI's "RNG: CPU")."""
    shape = (4, height // 8, width // 8)
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def guided(
    unet: Unet, context: Tensor, negative: Tensor, cfg_scale: float, vectors: tuple[Tensor, Tensor] | None = None
) -> Denoise:
    """Classifier-free guidance; both predictions come from one call, a cell without and with after the other.

    context and negative: (n, tokens, width); vectors: XL's second conditions (n, width) of both. A scale of 1 needs no
    second prediction and makes none.
    """
    dtype = unet.dtype
    if cfg_scale == 1:
        vector = vectors[0] if vectors else None
        return lambda x, time: unet(x.to(dtype), _times(x, time), context, vector).float()
    both = torch.stack([negative, context], dim=1).flatten(0, 1)
    whole = torch.stack(vectors[::-1], dim=1).flatten(0, 1) if vectors else None

    def denoise(x: Tensor, time: float) -> Tensor:
        x = x.to(dtype).repeat_interleave(2, dim=0)
        predicted = unet(x, _times(x, time), both, whole).float()
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


def trailing_timesteps(steps: int) -> list[int]:
    """Ascending timesteps from 0, where drawing ends, to 999, where it begins: `steps` predictions."""
    return [0, *(round(1000 * step / steps) - 1 for step in range(1, steps + 1))]


def euler_sigmas(alphas_cumprod: Tensor, steps: int) -> tuple[list[float], list[float]]:
    """k-diffusion's default schedule: timesteps 999 → 0, and their sigmas with a last 0."""
    alphas = alphas_cumprod.clamp(min=_LEAST_ALPHA)
    log_sigmas = ((1 - alphas) / alphas).sqrt().log()
    times = torch.linspace(999, 0, steps, dtype=torch.float64)
    low, high = times.floor().long(), times.ceil().long()
    sigmas = torch.lerp(log_sigmas[low], log_sigmas[high], times - low).exp()
    return times.tolist(), [*sigmas.tolist(), 0.0]


def _ddim(denoise: Denoise, x: Tensor, model: NoiseModel, steps: int) -> Tensor:
    times = trailing_timesteps(steps) if model.trailing else ddim_timesteps(steps)
    alphas = model.alphas_cumprod.cpu().double()
    for index in range(len(times) - 1, 0, -1):
        alpha = float(alphas[times[index]])
        before = float(alphas[times[index - 1]])
        clean, noise = clean_and_noise(model.prediction, x, denoise(x, times[index]), alpha)
        x = before**0.5 * clean + (1 - before) ** 0.5 * noise
    return x


def _euler(denoise: Denoise, x: Tensor, model: NoiseModel, steps: int) -> Tensor:
    times, sigmas = euler_sigmas(model.alphas_cumprod.cpu().double(), steps)
    x = x * sigmas[0]
    for index, time in enumerate(times):
        scaled = x / (sigmas[index] ** 2 + 1) ** 0.5
        predicted = denoise(scaled, time)
        if model.prediction == "epsilon":
            x = x + predicted * (sigmas[index + 1] - sigmas[index])
        else:
            # The same step, without the difference of two large numbers.
            clean, noise = clean_and_noise(model.prediction, scaled, predicted, 1 / (sigmas[index] ** 2 + 1))
            x = clean + sigmas[index + 1] * noise
    return x
