"""The learning rate over the run."""

import math

from trainer.settings import Settings


def learning_rate_factor(step: int, *, total: int, settings: Settings) -> float:
    """Factor on the base learning rate, 0–1, for `step` counted from 0: linear warm-up, then the schedule.

    The values are those of diffusers' and transformers' get_scheduler, which kohya uses; only that a warm-up comes
    before every schedule, `constant` too. lrSchedulerMinLrRatio lifts the lower end of every falling schedule, as
    transformers' cosine_with_min_lr does.
    """
    warmup = warmup_steps(settings, total)
    if step < warmup:
        return step / warmup
    if settings.lr_scheduler in ("constant", "constant_with_warmup"):
        return 1.0
    share = min(1.0, (step - warmup) / max(1, total - warmup))
    least = settings.lr_scheduler_min_lr_ratio
    return least + (1 - least) * _falling(share, settings)


def warmup_steps(settings: Settings, total: int) -> int:
    """Steps of warm-up; as in kohya a number below 1 is a share of the run."""
    steps = settings.lr_warmup_steps
    return int(steps * total) if steps < 1 else int(steps)


def _falling(share: float, settings: Settings) -> float:
    match settings.lr_scheduler:
        case "linear":
            return 1 - share
        case "polynomial":
            return (1 - share) ** settings.lr_scheduler_power
        case "cosine_with_restarts":
            around = settings.lr_scheduler_num_cycles * share % 1.0 if share < 1 else 1.0
            return 0.5 * (1 + math.cos(math.pi * around))
        case _:
            return 0.5 * (1 + math.cos(math.pi * share))
