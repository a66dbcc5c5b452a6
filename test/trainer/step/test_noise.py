"""The noise of a step: kohya's kinds of it, always the same at the same place."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from run_folder import write_run
from trainer.plan import read_plan
from trainer.settings import Settings
from trainer.step.noise import add_noise, draw_noise

CLEAN = torch.zeros(3, 4, 16, 24)


def _settings(folder: Path, **changes: Any) -> Settings:  # noqa: ANN401
    return read_plan(write_run(folder, Path("m"), **changes) / "plan.json").settings


def test_noise_depends_on_its_place_alone_and_timesteps_stay_in_their_range(tmp_path: Path) -> None:
    settings = _settings(tmp_path, minTimestep=200, maxTimestep=203)
    first, again, other = (draw_noise(settings, place, CLEAN) for place in ((5,), (5,), (5, 1)))
    assert torch.equal(first.target, again.target) and torch.equal(first.timesteps, again.timesteps)
    assert not torch.equal(first.target, other.target)
    assert first.added is first.target
    seen = {int(step) for place in range(30) for step in draw_noise(settings, (place,), CLEAN).timesteps}
    assert seen == {200, 201, 202}


@pytest.mark.parametrize("random", [False, True])
def test_noise_offset_lifts_each_channel_as_a_whole(random: bool, tmp_path: Path) -> None:
    plain = draw_noise(_settings(tmp_path / "plain"), (3,), CLEAN)
    settings = _settings(tmp_path, noiseOffset=0.1, noiseOffsetRandomStrength=random)
    offset = draw_noise(settings, (3,), CLEAN)
    lift = offset.target - plain.target
    assert torch.equal(offset.timesteps, plain.timesteps)
    assert torch.allclose(lift, lift[:, :, :1, :1].expand_as(lift), atol=1e-6)
    many = torch.cat([(draw_noise(settings, (n,), CLEAN).target).mean(dim=(2, 3)).flatten() for n in range(200)])
    within = 1 / np.sqrt(16 * 24)
    spread = 0.1 * (1 if not random else np.sqrt(1 / 3))
    assert float(many.std()) == pytest.approx(np.hypot(spread, within), rel=0.1)


def test_multires_noise_is_coarse_as_well_and_of_unit_spread(tmp_path: Path) -> None:
    settings = _settings(tmp_path, multiresNoiseIterations=6, multiresNoiseDiscount=0.8)
    noise = draw_noise(settings, (1,), CLEAN).target
    assert float(noise.std()) == pytest.approx(1, abs=1e-4)
    plain = draw_noise(_settings(tmp_path / "plain"), (1,), CLEAN).target
    neighbours = [(value[..., 1:] * value[..., :-1]).mean() for value in (noise, plain)]
    assert neighbours[0] > neighbours[1] + 0.1


def test_ip_noise_lies_on_the_picture_and_is_not_asked_for(tmp_path: Path) -> None:
    plain = draw_noise(_settings(tmp_path / "plain"), (1,), CLEAN)
    noise = draw_noise(_settings(tmp_path, ipNoiseGamma=0.1), (1,), CLEAN)
    assert torch.equal(noise.target, plain.target)
    assert float((noise.added - noise.target).std()) == pytest.approx(0.1, rel=0.05)
    weak = draw_noise(_settings(tmp_path / "weak", ipNoiseGamma=0.1, ipNoiseGammaRandomStrength=True), (1,), CLEAN)
    assert 0 < float((weak.added - weak.target).std()) < 0.1


def test_noise_is_added_by_the_share_that_the_timestep_has() -> None:
    clean, noise = torch.randn(2, 4, 2, 2), torch.randn(2, 4, 2, 2)
    noisy = add_noise(clean, noise, torch.tensor([1.0, 0.25]))
    assert torch.equal(noisy[0], clean[0])
    assert torch.allclose(noisy[1], 0.5 * clean[1] + 0.75**0.5 * noise[1])
