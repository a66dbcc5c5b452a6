"""How much an evaluation measures, so that it stays a small share of the training time."""

from dataclasses import dataclass

_ALL = (100, 300, 500, 700, 900)
_FEW = (100, 500, 900)
_SHARE_OF_TIME = 0.12


@dataclass(frozen=True)
class MeasurePlan:
    """Most pictures and prompts at weight 1, their timesteps, and the core that is measured at other weights too."""

    train: int
    held_out: int
    generic: int
    timesteps: tuple[int, ...]
    drift_timesteps: tuple[int, ...]
    core: int
    core_timesteps: tuple[int, ...]

    @property
    def drift_core_timesteps(self) -> tuple[int, ...]:
        """Those of `drift_timesteps` that are asked at other weights too; never none, or drift would seem to be the
        same at every weight."""
        shared = tuple(timestep for timestep in self.core_timesteps if timestep in self.drift_timesteps)
        return shared or self.drift_timesteps[len(self.drift_timesteps) // 2 :][:1]


_LEVELS = (
    MeasurePlan(6, 8, 8, _ALL, _ALL, 4, (300, 700)),
    MeasurePlan(6, 8, 8, _ALL, _FEW, 3, (300, 700)),
    MeasurePlan(6, 6, 6, _ALL, _FEW, 2, (300, 700)),
    MeasurePlan(4, 4, 4, _ALL, _FEW, 2, (500,)),
    MeasurePlan(3, 3, 3, _ALL, _FEW, 1, (500,)),
    MeasurePlan(3, 3, 3, _FEW, _FEW, 1, (500,)),
)


def measure_plan(*, samples_per_epoch: int, train: int, held_out: int, generic: int, weights: int) -> MeasurePlan:
    """The most thorough level whose forwards stay below 12 % of an epoch's, or the smallest one.

    `weights` counts the other weights. A training sample counts as three forwards: backward costs twice the forward.
    """
    for level in _LEVELS:
        counts = (min(level.train, train), min(level.held_out, held_out), min(level.generic, generic))
        once = (counts[0] + counts[1]) * len(level.timesteps) + counts[2] * len(level.drift_timesteps)
        core = [min(level.core, count) for count in counts]
        each = sum(core[:2]) * len(level.core_timesteps) + core[2] * len(level.drift_core_timesteps)
        if once + weights * each <= _SHARE_OF_TIME * 3 * samples_per_epoch:
            return level
    return _LEVELS[-1]
