"""Activations that are made again in the backward pass instead of being kept (gradient checkpointing)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from weakref import WeakSet

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Run = Callable[..., Tensor]
"""(work, *its arguments) → what `work` gives."""


_carried: "WeakSet[threading.local]" = WeakSet()


def carry(local: threading.local) -> None:
    """What a thread has set in `local` holds where its work is done again too: on a GPU that is another thread."""
    _carried.add(local)


def recomputed(work: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """`work(*arguments)`, of which nothing but the arguments is kept for the backward pass; that runs `work` again.

    work must give the same each time: no random number of it may come from a generator with a state.
    """
    if not torch.is_grad_enabled():
        return work(*arguments)
    states = [(local, dict(local.__dict__)) for local in _carried]

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _restored(states)

    return checkpoint(work, *arguments, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)


def plainly(work: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """`work(*arguments)`."""
    return work(*arguments)


@contextmanager
def _restored(states: list[tuple[threading.local, dict[str, object]]]) -> Iterator[None]:
    before = [dict(local.__dict__) for local, _ in states]
    for local, state in states:
        local.__dict__.update(state)
    try:
        yield
    finally:
        for (local, _), state in zip(states, before, strict=True):
            local.__dict__.clear()
            local.__dict__.update(state)
