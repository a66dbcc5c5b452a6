"""How far a run has come."""

import random
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Progress:
    """How far a run has come. `step` counts finished steps.

    `rate` is a factor on the learning rates, and `good` what the end of the last epoch had of step, tensors, loss_scale
    and good_steps: where to go back to when numbers break.
    `evaluated` and `drawn` hold epochs; `saved` maps an epoch, as a text, to its file name and sshs_model_hash.
    """

    plan_id: str
    session_id: int = field(default_factory=lambda: random.SystemRandom().randrange(2**32))
    started_at: float = field(default_factory=time.time)
    step: int = 0
    tensors: str = ""
    loss_scale: float = 1.0
    good_steps: int = 0
    rate: float = 1.0
    good: dict[str, Any] = field(default_factory=dict)
    evaluated: list[int] = field(default_factory=list)
    saved: dict[str, tuple[str, str]] = field(default_factory=dict)
    drawn: list[int] = field(default_factory=list)
    train_seconds: float = 0.0
    compute_seconds: float = 0.0
    grid_seconds: float = 0.0
