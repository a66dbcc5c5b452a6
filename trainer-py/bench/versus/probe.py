"""What is measured inside of either program, by the same code: it runs in our Python and in that of sd-scripts.

A step lasts from the end of one to the end of the next, so that nothing of the loop is left out.
"""

import functools
import gc
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode

_COUNT_OPS, _COUNT_BYTES = 3, 4
"""Steps, counted from 1, in which a counting run looks; the first ones may prepare something."""


class Probe:
    """Writes {steps, …} to `out` and ends the process after `last` steps."""

    def __init__(self, out: Path, *, last: int, counts: bool) -> None:
        self._out, self._last, self._counts = out, last, counts
        self._steps: list[dict[str, float]] = []
        self._facts: dict[str, Any] = {}
        self._batches: list[list[str]] = []
        self._inside = 0.0
        self._depth = 0
        self._ops: OpCounter | None = None
        self._kept: KeptBytes | None = None

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, whose processor time counts as forward, backward or optimizer."""

        @functools.wraps(call)
        def measured(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            started = time.process_time()
            self._depth += 1
            try:
                return call(*arguments, **named)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._inside += time.process_time() - started

        return measured

    def batch(self, captions: list[str]) -> None:
        """Note the captions of the next step."""
        self._batches.append(list(captions))

    def step_ends(self, loss: float) -> None:
        """To be called when the loop has done everything for one step."""
        self._stop_counting()
        self._steps.append(
            {
                "loss": loss,
                "cpu": time.process_time(),
                "clock": time.time(),
                "inside": self._inside,
            }
        )
        if len(self._steps) == self._last:
            self._end()
        if self._counts:
            self._start_counting(len(self._steps) + 1)

    def _start_counting(self, step: int) -> None:
        if step == _COUNT_OPS:
            self._ops = OpCounter()
            self._ops.__enter__()
        elif step == _COUNT_BYTES:
            self._kept = KeptBytes()
            self._kept.hooks.__enter__()

    def _stop_counting(self) -> None:
        if self._ops:
            self._ops.__exit__(None, None, None)
            self._facts["ops"] = self._ops.calls
            self._facts["computingOps"] = self._ops.calls - self._ops.views
            self._ops = None
        if self._kept:
            self._kept.hooks.__exit__(None, None, None)
            self._facts["keptBytes"] = sum(self._kept.bytes.values())
            self._kept = None

    def _end(self) -> None:
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = {**self._facts, "steps": self._steps, "batches": self._batches, "peakRssMb": peak_kb / 1024}
        self._out.write_text(json.dumps(found), encoding="utf-8")
        os._exit(0)  # What a program does at its end is not compared.


class OpCounter(TorchDispatchMode):
    """calls: of the dispatcher in forward, backward and optimizer; views: those of them that only look at a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.views = 0

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        self.calls += 1
        self.views += bool(func.is_view)
        return func(*args, **(kwargs or {}))


class KeptBytes:
    """bytes: storages that autograd keeps, each once and whole; those that were there before the step do not count."""

    def __init__(self) -> None:
        self.bytes: dict[int, int] = {}
        # Kept alive, so that no address is used twice.
        self._seen: list[torch.UntypedStorage] = []
        before = [value for value in gc.get_objects() if issubclass(type(value), torch.Tensor)]
        self._before = {value.untyped_storage().data_ptr() for value in before if value.device.type != "meta"}
        self.hooks = saved_tensors_hooks(self._pack, lambda kept: kept)

    def _pack(self, tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        address = storage.data_ptr()
        if address not in self._before and address not in self.bytes:
            self.bytes[address] = storage.nbytes()
            self._seen.append(storage)
        return tensor.detach()
