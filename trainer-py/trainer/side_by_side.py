"""Threads that each compute whole pieces of work alone, where torch's own sharing of a layer does not pay."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

# Larger pictures keep all threads busy by themselves, and each picture at work costs memory.
_SMALL_PIXELS = 256 * 256


def threads_side_by_side(device: torch.device, pixels: int) -> int:
    """How many threads should each have work of their own, with pictures of `pixels` pixels; 1: torch shares it out."""
    return torch.get_num_threads() if device.type == "cpu" and pixels <= _SMALL_PIXELS else 1


def lone_threads(threads: int, name: str) -> ThreadPoolExecutor:
    """A pool whose threads each compute on one core."""
    return ThreadPoolExecutor(threads, name, initializer=_compute_alone)


@contextmanager
def side_by_side(threads: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Such a pool for one task; what has not begun when it ends is left out."""
    # torch keeps one count for all threads to come, so it is put back.
    before = torch.get_num_threads()
    pool = lone_threads(threads, name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


def _compute_alone() -> None:
    torch.set_num_threads(1)
    # A thread takes over the count when it is first asked for; until then another pool's put-back would reach it.
    torch.get_num_threads()
