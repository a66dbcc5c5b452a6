"""Notices when a driver has begun to keep a full GPU's memory in RAM, which makes steps many times slower."""

from collections import deque
from statistics import median

_FIRST = 12
_LAST = 6
_FULL = 0.95
_SLOWER = 2.5


class SpillWatch:
    """Fed with each step; speaks once. Later steps are held against the pace of the first ones.

    Windows' drivers spill by themselves; elsewhere memory that is full ends in an error instead.
    """

    def __init__(self) -> None:
        self._first: list[float] = []
        self._last: deque[float] = deque(maxlen=_LAST)
        self._said = False

    def look(self, *, seconds: float, pixels: int, used: int, total: int) -> str | None:
        """A warning when memory is full (bytes `used` of `total`) and the pace for so many latent pixels has gone."""
        pace = seconds / max(1, pixels)
        if len(self._first) < _FIRST:
            # The first steps of all warm up; the quicker half of them tells the pace.
            self._first.append(pace)
            return None
        if used < _FULL * total:
            self._last.clear()
            return None
        self._last.append(pace)
        usual = median(sorted(self._first)[: _FIRST // 2])
        slow = len(self._last) == _LAST and median(self._last) > _SLOWER * usual
        if self._said or not slow:
            return None
        self._said = True
        return (
            f"Steps have become {median(self._last) / usual:.1f} times slower while the GPU's memory is full "
            f"({used / 2**30:.1f} of {total / 2**30:.1f} GiB): the driver seems to keep a part of it in RAM. Close "
            "other programs that use the GPU, or pause and plan again with a smaller batchSize or resolution."
        )
