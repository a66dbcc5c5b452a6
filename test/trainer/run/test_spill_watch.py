"""A GPU whose memory has begun to be kept in RAM is noticed by its pace."""

from trainer.run.spill_watch import SpillWatch

GIB = 2**30


def _run(watch: SpillWatch, count: int, *, seconds: float = 1.0, used: float = 11.9, pixels: int = 100) -> list[str]:
    looks = [watch.look(seconds=seconds, pixels=pixels, used=int(used * GIB), total=12 * GIB) for _ in range(count)]
    return [warning for warning in looks if warning]


def test_full_memory_and_a_broken_pace_together_are_said_once() -> None:
    watch = SpillWatch()
    assert _run(watch, 50) == []
    (warning,) = _run(watch, 50, seconds=4)
    assert "4.0 times slower" in warning and "11.9 of 12.0 GiB" in warning
    assert _run(watch, 50, seconds=9) == []


def test_neither_alone_is_enough() -> None:
    watch = SpillWatch()
    assert _run(watch, 50) == []
    assert _run(watch, 50, seconds=4, used=8) == []
    assert _run(watch, 6) == []
    assert _run(watch, 3, seconds=4) == []
    assert _run(watch, 50) == []


def test_larger_pictures_may_take_longer_and_the_first_steps_too() -> None:
    watch = SpillWatch()
    assert _run(watch, 3, seconds=20) == []
    assert _run(watch, 40) == []
    assert _run(watch, 40, seconds=4, pixels=400) == []
    assert len(_run(watch, 40, seconds=12, pixels=400)) == 1
