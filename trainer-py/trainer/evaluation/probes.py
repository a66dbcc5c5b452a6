"""The fixed questions of an evaluation."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.evaluation.measure_plan import MeasurePlan
from trainer.grid.sampler import clean_and_noise
from trainer.model.base_model import BaseModel
from trainer.model.predict import predict, whole_size
from trainer.model.text import encode_prompts
from trainer.plan import PlanImage
from trainer.randomness import generator
from trainer.settings import Settings
from trainer.step.loss import target_of

_TRAJECTORY = tuple(range(900, 0, -100))


@dataclass(frozen=True)
class Probe:
    """`noisy` (4, h, w) at `timestep` under `prompt` should give `target` (4, h, w); float32 on the CPU.

    kind: "train" and "held_out" ask for what a perfect model would say of a picture, "drift" for what the base model
    itself would say.
    """

    kind: str
    prompt: str
    timestep: int
    noisy: Tensor
    target: Tensor
    core: bool


def picture_probes(
    kind: str,
    images: Sequence[PlanImage],
    latents: dict[str, Tensor],
    base: BaseModel,
    *,
    most: int,
    amount: MeasurePlan,
    seed: int,
) -> list[Probe]:
    """Probes of up to `most` pictures, evenly spread over `images`."""
    probes = []
    for place, image in enumerate(spread(images, most)):
        for timestep in amount.timesteps:
            latent = latents[image.id]
            noise = torch.randn(latent.shape, generator=generator(seed, "evaluate", image.id, timestep))
            alpha = float(base.alphas_cumprod[timestep])
            noisy = math.sqrt(alpha) * latent + math.sqrt(1 - alpha) * noise
            core = place < amount.core and timestep in amount.core_timesteps
            target = target_of(base.prediction, torch.tensor([alpha]), noise[None], latent[None])[0]
            probes.append(Probe(kind, image.caption, timestep, noisy, target, core))
    return probes


@torch.no_grad()
def drift_probes(
    base: BaseModel,
    prompts: Sequence[str],
    *,
    size: tuple[int, int],
    amount: MeasurePlan,
    settings: Settings,
    check: Callable[[int, int], None],
) -> list[Probe]:
    """Probes along the way on which the base model itself draws `prompts` (DDIM, no guidance) at size (height, width).

    To be called with the LoRA switched off: the base model's own predictions become the targets. `check(done, total)`
    may raise to interrupt.
    """
    prompts = list(prompts)[: amount.generic]
    conditioning = encode_prompts(
        base, prompts, clip_skip=settings.clip_skip, max_token_length=settings.max_token_length
    )
    sizes = [whole_size(8 * size[0], 8 * size[1])] * len(prompts)
    noise = [torch.randn((4, *size), generator=generator(settings.seed, "drift", prompt)) for prompt in prompts]
    x = torch.stack(noise).to(base.device)
    probes = []
    for index, timestep in enumerate(_TRAJECTORY):
        check(index, len(_TRAJECTORY))
        steps = torch.full((len(prompts),), timestep)
        predicted = predict(base, x, steps, conditioning, sizes)
        if timestep in amount.drift_timesteps:
            for place, prompt in enumerate(prompts):
                core = place < amount.core and timestep in amount.drift_core_timesteps
                probes.append(Probe("drift", prompt, timestep, x[place].cpu(), predicted[place].cpu(), core))
        following = _TRAJECTORY[index + 1] if index + 1 < len(_TRAJECTORY) else 0
        alpha, after = float(base.alphas_cumprod[timestep]), float(base.alphas_cumprod[following])
        clean, left = clean_and_noise(base.prediction, x, predicted, alpha)
        x = math.sqrt(after) * clean + math.sqrt(1 - after) * left
    check(len(_TRAJECTORY), len(_TRAJECTORY))
    return probes


def spread(images: Sequence[PlanImage], most: int) -> list[PlanImage]:
    """Up to `most` of `images`, evenly spaced."""
    if len(images) <= most:
        return list(images)
    return [images[index * len(images) // most] for index in range(most)]
