"""The part of a LoRA's metadata that tells how its weights were moved, in kohya's keys."""

from typing import Any

from trainer.settings import Settings
from trainer.step.optimizer_classes import full_name


def optimisation_facts(settings: Settings) -> dict[str, Any]:
    """Learning rates, optimizer, schedule and precision."""
    return {
        "ss_learning_rate": settings.unet_lr,
        "ss_unet_lr": settings.unet_lr,
        "ss_text_encoder_lr": settings.text_encoder_lr,
        "ss_optimizer": full_name(settings),
        "ss_lr_scheduler": settings.lr_scheduler,
        "ss_lr_warmup_steps": _short(settings.lr_warmup_steps),
        "ss_max_grad_norm": settings.max_grad_norm,
        "ss_gradient_checkpointing": settings.gradient_checkpointing,
        "ss_gradient_accumulation_steps": settings.gradient_accumulation_steps,
        "ss_mixed_precision": settings.mixed_precision,
        "ss_full_fp16": False,
        "ss_fp8_base": False,
        "ss_fp8_base_unet": settings.base_weights == "fp8",
        "ss_lowram": False,
    }


def loss_facts(settings: Settings) -> dict[str, Any]:
    """Noise and loss; what is off is None, as sd-scripts leaves it."""
    return {
        "ss_noise_offset": settings.noise_offset or None,
        "ss_noise_offset_random_strength": settings.noise_offset_random_strength,
        "ss_adaptive_noise_scale": settings.adaptive_noise_scale or None,
        "ss_multires_noise_iterations": settings.multires_noise_iterations or None,
        "ss_multires_noise_discount": settings.multires_noise_discount if settings.multires_noise_iterations else None,
        "ss_min_snr_gamma": settings.min_snr_gamma or None,
        "ss_ip_noise_gamma": settings.ip_noise_gamma or None,
        "ss_ip_noise_gamma_random_strength": settings.ip_noise_gamma_random_strength,
        "ss_zero_terminal_snr": settings.zero_terminal_snr,
        "ss_debiased_estimation": settings.debiased_estimation,
        "ss_loss_type": settings.loss_type,
        "ss_huber_schedule": settings.huber_schedule,
        "ss_huber_c": settings.huber_c,
        "ss_huber_scale": 1.0,
        "ss_prior_loss_weight": settings.prior_loss_weight,
    }


def caption_facts(settings: Settings) -> dict[str, Any]:
    """What happens to captions on their way into a step."""
    return {
        "ss_caption_dropout_rate": settings.caption_dropout_rate,
        "ss_caption_dropout_every_n_epochs": settings.caption_dropout_every_n_epochs,
        "ss_caption_tag_dropout_rate": settings.caption_tag_dropout_rate,
        "ss_face_crop_aug_range": None,
        "ss_resize_interpolation": "lanczos",
    }


def _short(number: float) -> float | int:
    return int(number) if number == int(number) else number
