"""The learning rate over the run."""

import pytest

from trainer.schedule import learning_rate_factor


def _factors(total: int, warmup: int, scheduler: str) -> list[float]:
    return [learning_rate_factor(step, total=total, warmup=warmup, scheduler=scheduler) for step in range(total)]


def test_constant_stays_and_cosine_falls_to_nothing() -> None:
    assert set(_factors(10, 0, "constant")) == {1.0}
    cosine = _factors(100, 0, "cosine")
    assert cosine[0] == 1 and cosine[50] == pytest.approx(0.5) and cosine[-1] < 0.001
    assert cosine == sorted(cosine, reverse=True)


@pytest.mark.parametrize("scheduler", ["constant", "cosine"])
def test_the_warm_up_rises_in_equal_parts_to_the_schedule(scheduler: str) -> None:
    factors = _factors(20, 4, scheduler)
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_warm_up_longer_than_the_run_still_rises() -> None:
    assert _factors(3, 10, "cosine") == sorted(_factors(3, 10, "cosine"))
