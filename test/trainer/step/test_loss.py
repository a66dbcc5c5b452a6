"""Weights, targets and measures of the loss against plain formulas in numpy."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from run_folder import write_run
from trainer.model.noise_schedule import noise_schedule
from trainer.plan import read_plan
from trainer.settings import Settings
from trainer.step.loss import picture_losses, sample_weights, target_of

STEPS = torch.tensor([0, 1, 50, 400, 998, 999])
ALPHAS = noise_schedule()[STEPS].float()
_SNR = (ALPHAS / (1 - ALPHAS)).double().numpy()


def _settings(folder: Path, **changes: Any) -> Settings:  # noqa: ANN401
    return read_plan(write_run(folder, Path("m"), **changes) / "plan.json").settings


@pytest.mark.parametrize("gamma", [1, 5, 20])
@pytest.mark.parametrize("prediction", ["epsilon", "v"])
def test_min_snr_caps_the_weight_of_the_clear_steps(gamma: float, prediction: str, tmp_path: Path) -> None:
    weights = sample_weights(_settings(tmp_path, minSnrGamma=gamma), prediction, ALPHAS)
    below = _SNR + 1 if prediction == "v" else _SNR
    assert weights is not None
    assert weights.numpy() == pytest.approx(np.minimum(_SNR, gamma) / below, rel=1e-5)


def test_debiased_estimation_weighs_by_the_inverse_root_of_the_snr_and_v_by_its_own(tmp_path: Path) -> None:
    settings = _settings(tmp_path, debiasedEstimation=True)
    capped = np.minimum(_SNR, 1000)
    epsilon, v = sample_weights(settings, "epsilon", ALPHAS), sample_weights(settings, "v", ALPHAS)
    assert epsilon is not None and v is not None
    assert epsilon.numpy() == pytest.approx(1 / np.sqrt(capped), rel=1e-5)
    assert v.numpy() == pytest.approx(1 / (capped + 1), rel=1e-5)


def test_no_weight_is_broken_where_there_is_no_signal_left(tmp_path: Path) -> None:
    alphas = noise_schedule(zero_terminal_snr=True)[STEPS].float()
    settings = _settings(tmp_path, minSnrGamma=5, debiasedEstimation=True, lossType="huber")
    for prediction in ("epsilon", "v"):
        weights = sample_weights(settings, prediction, alphas)
        assert weights is not None and bool(torch.isfinite(weights).all())
    losses = picture_losses(
        settings, torch.ones(6, 4, 2, 2), torch.zeros(6, 4, 2, 2), alphas=alphas, timesteps=STEPS, masks=None
    )
    assert bool(torch.isfinite(losses).all())
    assert sample_weights(_settings(tmp_path / "plain"), "v", alphas) is None


def test_a_v_model_is_asked_for_velocity_and_another_one_for_the_noise() -> None:
    noise, clean = torch.randn(6, 4, 2, 2), torch.randn(6, 4, 2, 2)
    target = target_of("v", ALPHAS, noise, clean)
    for row, alpha in enumerate(ALPHAS.tolist()):
        expected = math.sqrt(alpha) * noise[row] - math.sqrt(1 - alpha) * clean[row]
        assert torch.allclose(target[row], expected, atol=1e-6)
    assert target_of("epsilon", ALPHAS, noise, clean) is noise


@pytest.mark.parametrize("schedule", ["constant", "exponential", "snr"])
@pytest.mark.parametrize("kind", ["l1", "l2", "huber", "smooth_l1"])
def test_each_measure_is_kohyas(kind: str, schedule: str, tmp_path: Path) -> None:
    settings = _settings(tmp_path, lossType=kind, huberSchedule=schedule, huberC=0.2)
    predicted, target = torch.randn(6, 4, 2, 3), torch.randn(6, 4, 2, 3)
    found = picture_losses(settings, predicted, target, alphas=ALPHAS, timesteps=STEPS, masks=None)
    away = np.abs((predicted - target).double().numpy())
    sigmas = np.sqrt(1 / _SNR)
    bends = {
        "constant": np.full(6, 0.2),
        "exponential": 0.2 ** (STEPS.numpy() / 1000),
        "snr": 0.8 / (1 + sigmas) ** 2 + 0.2,
    }[schedule].reshape(-1, 1, 1, 1)
    rounded = 2 * (np.sqrt(away**2 + bends**2) - bends)
    expected = {"l1": away, "l2": away**2, "huber": bends * rounded, "smooth_l1": rounded}[kind]
    assert found.numpy() == pytest.approx(expected.mean(axis=(1, 2, 3)), rel=1e-4)


def test_what_a_mask_hides_costs_nothing_and_the_mean_stays_over_the_whole_picture(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    predicted, target = torch.randn(2, 4, 4, 4), torch.randn(2, 4, 4, 4)
    masks = torch.ones(2, 1, 4, 4)
    masks[0, :, :, 2:] = 0
    found = picture_losses(settings, predicted, target, alphas=ALPHAS[:2], timesteps=STEPS[:2], masks=masks)
    away = (predicted - target).square()
    assert torch.allclose(found[0], away[0, :, :, :2].sum() / 64)
    assert torch.allclose(found[1], away[1].mean())
