"""The base model as a plan wants it."""

from dataclasses import replace
from pathlib import Path

import torch

from trainer.device import DTYPES
from trainer.model.base_model import BaseModel, load_base_model
from trainer.model.noise_schedule import noise_schedule
from trainer.plan import Plan


def load_plan_base(plan: Plan, *, device: torch.device, parts: frozenset[str]) -> BaseModel:
    """Raises Failure as `load_base_model` does."""
    settings = plan.settings
    base = load_base_model(
        Path(plan.base_model.path),
        device=device,
        dtype=DTYPES[settings.mixed_precision],
        parts=parts,
        clip_skip=settings.clip_skip,
        vae_path=Path(settings.vae) if settings.vae else None,
        prediction=plan.prediction or None,
        packing=None if settings.base_weights == "full" else settings.base_weights,
    )
    base.unet.recomputes = settings.gradient_checkpointing
    for text_encoder in base.text_encoders:
        text_encoder.recomputes = settings.gradient_checkpointing
    if not settings.zero_terminal_snr or base.config.zero_terminal_snr:
        return base
    config = replace(base.config, zero_terminal_snr=True)
    return replace(base, config=config, alphas_cumprod=noise_schedule(zero_terminal_snr=True))
