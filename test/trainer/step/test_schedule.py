"""The learning rate over the run."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.optimization import get_scheduler
from transformers.optimization import get_cosine_with_min_lr_schedule_with_warmup

from run_folder import write_run
from trainer.plan import read_plan
from trainer.settings import Settings
from trainer.step.schedule import learning_rate_factor, warmup_steps


def _settings(folder: Path, **changes: Any) -> Settings:  # noqa: ANN401
    return read_plan(write_run(folder, Path("m"), **changes) / "plan.json").settings


def _factors(settings: Settings, total: int) -> list[float]:
    return [learning_rate_factor(step, total=total, settings=settings) for step in range(total)]


def _rates(scheduler: Any, optimizer: torch.optim.Optimizer, total: int) -> list[float]:  # noqa: ANN401
    found = []
    for _ in range(total):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("warmup", [0, 7])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("linear", {}),
        ("cosine", {}),
        ("cosine_with_restarts", {"num_cycles": 3}),
        ("polynomial", {"power": 2.0}),
        ("constant_with_warmup", {}),
    ],
)
def test_every_schedule_has_the_values_of_diffusers(
    name: str, options: dict[str, Any], warmup: int, tmp_path: Path
) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    expected = _rates(
        get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=50, **options), optimizer, 50
    )
    settings = _settings(
        tmp_path,
        lrScheduler=name,
        lrWarmupSteps=warmup,
        lrSchedulerNumCycles=options.get("num_cycles", 1),
        lrSchedulerPower=options.get("power", 1),
    )
    assert _factors(settings, 50) == pytest.approx(expected, abs=2e-7)


def test_the_lower_end_can_be_lifted_as_transformers_does(tmp_path: Path) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = get_cosine_with_min_lr_schedule_with_warmup(optimizer, 5, 40, min_lr_rate=0.2)
    settings = _settings(tmp_path, lrWarmupSteps=5, lrSchedulerMinLrRatio=0.2)
    assert _factors(settings, 40) == pytest.approx(_rates(scheduler, optimizer, 40))


def test_a_warm_up_comes_before_constant_too_and_may_be_a_share_of_the_run(tmp_path: Path) -> None:
    settings = _settings(tmp_path, lrScheduler="constant", lrWarmupSteps=0.2)
    assert warmup_steps(settings, 20) == 4
    assert _factors(settings, 20) == pytest.approx([0, 0.25, 0.5, 0.75] + [1] * 16)


def test_a_warm_up_longer_than_the_run_still_rises(tmp_path: Path) -> None:
    factors = _factors(_settings(tmp_path, lrWarmupSteps=10), 3)
    assert factors == pytest.approx([0, 0.1, 0.2])
