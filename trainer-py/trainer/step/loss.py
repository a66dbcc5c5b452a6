"""What a prediction is compared with, and how much a difference counts; the formulas are kohya's."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.settings import Settings

_STEPS = 1000
# Where there is no noise the ratio has no end.
_MOST_SNR = 1000.0


def target_of(prediction: str, alphas: Tensor, noise: Tensor, clean: Tensor) -> Tensor:
    """What a model of `prediction` ("epsilon" or "v") should give for latents (B, 4, h, w) at ᾱ (B,)."""
    if prediction != "v":
        return noise
    alphas = alphas.view(-1, 1, 1, 1)
    return alphas.sqrt() * noise - (1 - alphas).sqrt() * clean


def sample_weights(settings: Settings, prediction: str, alphas: Tensor) -> Tensor | None:
    """Weight (B,) of each picture's loss at ᾱ (B,): min-SNR-γ (arXiv 2303.09556), kohya's ways between noise and v,
    then debiased estimation (arXiv 2310.08442); None when all are 1.
    """
    if not (settings.min_snr_gamma or settings.debiased_estimation or _between(settings, prediction)):
        return None
    snr = alphas / (1 - alphas)
    is_v = prediction == "v"
    weights = torch.ones_like(snr)
    if settings.min_snr_gamma:
        least = snr.clamp(max=settings.min_snr_gamma)
        # At zero SNR the fraction tends to 1 for noise, and is 0 for v.
        weights = least / (snr + 1) if is_v else torch.where(snr > 0, least / snr, 1.0)
    if _between(settings, prediction):
        bounded = snr.clamp(max=_MOST_SNR)
        scale = bounded / (bounded + 1)
        weights = weights * (scale if is_v else 1 + settings.v_pred_like_loss / scale.clamp(min=1e-8))
    if settings.debiased_estimation:
        snr = snr.clamp(max=_MOST_SNR)
        weights = weights * (1 / (snr + 1) if is_v else snr.clamp(min=1e-8).rsqrt())
    return weights


def _between(settings: Settings, prediction: str) -> float:
    # Each is meant for one kind of model and says nothing of the other.
    return settings.scale_v_pred_loss_like_noise_pred if prediction == "v" else settings.v_pred_like_loss


def picture_losses(
    settings: Settings, predicted: Tensor, target: Tensor, *, alphas: Tensor, timesteps: Tensor, masks: Tensor | None
) -> Tensor:
    """Mean difference (B,) of each picture in lossType's measure, before weights.

    masks (B, 1, h, w) in 0–1 take the loss of what they hide away; as in kohya the mean stays over the whole picture.
    """
    losses = _differences(settings, predicted, target, alphas, timesteps)
    return (losses if masks is None else losses * masks).mean(dim=(1, 2, 3))


def _differences(settings: Settings, predicted: Tensor, target: Tensor, alphas: Tensor, timesteps: Tensor) -> Tensor:
    if settings.loss_type == "l2":
        return (predicted - target).square()
    if settings.loss_type == "l1":
        return F.l1_loss(predicted, target, reduction="none")
    bends = huber_thresholds(settings, alphas, timesteps).view(-1, 1, 1, 1)
    rounded = 2 * (((predicted - target).square() + bends.square()).sqrt() - bends)
    return bends * rounded if settings.loss_type == "huber" else rounded


def huber_thresholds(settings: Settings, alphas: Tensor, timesteps: Tensor) -> Tensor:
    """Where huber and smooth_l1 turn from square to straight (B,), by huberSchedule."""
    least = settings.huber_c
    match settings.huber_schedule:
        case "exponential":
            return torch.exp(math.log(least) / _STEPS * timesteps)
        case "snr":
            sigmas = ((1 - alphas) / alphas.clamp(min=1e-12)).sqrt()
            return (1 - least) / (1 + sigmas) ** 2 + least
        case _:
            return torch.full_like(alphas, least)
