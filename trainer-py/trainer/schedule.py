"""The learning rate over the run."""

import math


def learning_rate_factor(step: int, *, total: int, warmup: int, scheduler: str) -> float:
    """Factor on the base learning rate, 0–1, for `step` counted from 0: linear warm-up, then `constant` or `cosine`.

    Cosine falls to 0 at `total`, as kohya's `cosine` does.
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if scheduler == "constant":
        return 1.0
    progress = (step - warmup) / max(1, total - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
