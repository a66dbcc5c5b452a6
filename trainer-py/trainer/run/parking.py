"""Gives the device's memory to somebody else for a while, and takes up exactly where it stood."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from trainer.events import emit
from trainer.failure import Failure

Storage = torch.UntypedStorage


@contextmanager
def parked(device: torch.device) -> Iterator[None]:
    """Inside, everything that lay on `device` is in RAM; after a good end it is where it was, bit for bit.

    After an exception it stays in RAM: the trainer is leaving. On the CPU and on Apple's shared memory there is nothing
    to move, only what torch has kept for later is given back. Raises Failure `out_of_memory` when there is no room on
    the device any more.
    """
    gc.collect()
    bring_back = move_to_ram(_tensors_on(device)) if device.type == "cuda" else None
    _give_back(device)
    yield
    if bring_back:
        try:
            bring_back()
        except torch.OutOfMemoryError as error:
            raise Failure(
                "out_of_memory",
                "Expected the room on the GPU that training had before another program used it, but that program still "
                "holds it; close it and resume the run, which goes on from the step it was parked at.",
                str(error),
            ) from error


@contextmanager
def parked_and_told(device: torch.device, step: int) -> Iterator[None]:
    """`parked`, with the events that the server gives the GPU away and takes it back by."""
    with parked(device):
        emit({"type": "parked", "step": step})
        yield
    emit({"type": "unparked", "step": step})


def move_to_ram(tensors: Iterable[Tensor]) -> Callable[[], None]:
    """Copy what the tensors hold into RAM and empty their memory; the function given back undoes it.

    Storages are emptied, not tensors replaced: views, gradients and an optimizer's moments stay what they were to each
    other.
    """
    storages: dict[int, Storage] = {}
    for tensor in tensors:
        storage = tensor.untyped_storage()
        if storage.nbytes() > 0:
            storages.setdefault(storage.data_ptr(), storage)
    # Copied one by one, so that never more than one tensor is in both places.
    kept = [(storage, _emptied(storage)) for storage in storages.values()]

    def bring_back() -> None:
        while kept:
            storage, copy = kept[-1]
            storage.resize_(copy.nbytes())
            storage.copy_(copy)
            kept.pop()

    return bring_back


def _emptied(storage: Storage) -> Storage:
    copy = Storage(storage.nbytes(), device="cpu")
    copy.copy_(storage)
    storage.resize_(0)
    return copy


def _tensors_on(device: torch.device) -> Iterator[Tensor]:
    # Also what a drawing that is under way holds, which no list of ours could name.
    for thing in gc.get_objects():
        if issubclass(type(thing), Tensor) and thing.device.type == device.type and thing.layout == torch.strided:
            yield thing


def _give_back(device: torch.device) -> None:
    if device.type == "cuda":
        torch._C._cuda_clearCublasWorkspaces()
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
