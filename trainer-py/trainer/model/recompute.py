"""Activations that are made again in the backward pass instead of being kept (gradient checkpointing)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Run = Callable[..., Tensor]
"""(work, *its arguments) → what `work` gives."""


def recomputed(work: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """`work(*arguments)`, of which nothing but the arguments is kept for the backward pass; that runs `work` again.

    work must give the same each time: no random number of it may come from a generator with a state.
    """
    if not torch.is_grad_enabled():
        return work(*arguments)
    return checkpoint(work, *arguments, use_reentrant=False, preserve_rng_state=False)


def plainly(work: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """`work(*arguments)`."""
    return work(*arguments)
