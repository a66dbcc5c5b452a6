"""The processes that train one run together, on one machine or several; alone, nothing here does anything.

The first one decides, speaks and writes; the others do what it orders. `torchrun` and `accelerate launch` say who is
who by environment variables (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT), and so do we for our own.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn, TypeVar

from trainer.failure import Failure

if TYPE_CHECKING:
    from torch import Tensor

_Item = TypeVar("_Item")
_KINDS = ("open", "met", "state", "step", "park", "unpark", "leave")
_LOOK_SECONDS = 0.02
# While the first process draws or stands parked the others wait without a word; a process that ends is noticed at once.
_PATIENCE = timedelta(days=1)
_LAST_WORDS_SECONDS = 2.0


@dataclass(frozen=True)
class Order:
    """One of _KINDS; step and rate belong to "step", payload to "open" and "state"."""

    kind: str
    step: int = 0
    rate: float = 1.0
    payload: bytes = b""


class Ranks:
    """This process among all; `ALONE` is the usual one.

    Every method that talks to the others raises Failure `crashed`, or what the other has failed with, when one of them
    has gone.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count
        self._meetings = self._parkings = 0
        self._has_left = False

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share(self, count: int) -> range:
        """This process's part of `count` things in a row; parts differ by one at most and may be empty."""
        return range(self.rank * count // self.count, (self.rank + 1) * count // self.count)

    def mine(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """This process's part of things in any order."""
        return items[self.rank :: self.count]

    def tell(self, kind: str, *, step: int = 0, rate: float = 1.0, payload: bytes = b"") -> None:
        """The first process's order to all others."""

    def next_order(self) -> Order:
        """Wait for the first process's order."""
        raise RuntimeError("a process that is alone gets no orders")

    def look(self) -> Order | None:
        """The order that `next_order` would give without waiting; it stays the next one."""
        return None

    def sum(self, tensors: Iterable["Tensor"]) -> None:
        """Put the sum over all processes into each tensor, with the same bits everywhere."""

    def meet(self, check: Callable[[], None]) -> None:
        """Wait until all have come here; `check` is called meanwhile and may raise."""

    def park(self) -> None:
        """Have the others park their memory, and wait until they have."""

    def has_parked(self) -> None:
        """The others' answer to "park"."""

    def fail(self, failure: Failure) -> None:
        """Leave word for the first process why this one ends."""

    def leave(self) -> None:
        """Send the others home, once."""
        if self.is_first and not self._has_left:
            self._has_left = True
            self.tell("leave")


ALONE = Ranks()


def open_ranks() -> Ranks:
    """This process's place among those of the environment. Raises Failure when they don't find each other."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    return ALONE if count == 1 else _Linked(int(os.environ["RANK"]), count)


def gone(count: int, error: Exception | None = None) -> Failure:
    """What is said when one of `count` processes is not there any more."""
    return Failure(
        "crashed",
        f"Expected all {count} processes of the run to go on, but one of them has gone or can't be reached. "
        "Finished epochs are kept; resume the run, and see the log of the machine that it ran on.",
        f"{type(error).__name__}: {error}" if error else None,
    )


class _Linked(Ranks):
    """Orders and small numbers go through gloo, gradients through what is fastest between their devices."""

    def __init__(self, rank: int, count: int) -> None:
        super().__init__(rank, count)
        import torch
        import torch.distributed as dist

        self._torch, self._dist = torch, dist
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
        try:
            self._store, *_ = next(dist.rendezvous("env://"))
            dist.init_process_group(backend, store=self._store, rank=rank, world_size=count)
            self._orders = dist.new_group(backend="gloo", timeout=_PATIENCE)
        except (RuntimeError, ValueError, OSError) as error:
            raise gone(count, error) from error
        self._next: Order | None = None
        self._is_lost = False
        self._post()

    def tell(self, kind: str, *, step: int = 0, rate: float = 1.0, payload: bytes = b"") -> None:
        self._raise_told()
        head = [_KINDS.index(kind), step, rate, len(payload)]
        try:
            self._dist.broadcast(self._torch.tensor(head, dtype=self._torch.float64), 0, group=self._orders)
            if payload:
                # Written to by nobody, whatever torch fears of a buffer that is read-only.
                body = self._torch.frombuffer(bytearray(payload), dtype=self._torch.uint8)
                self._dist.broadcast(body, 0, group=self._orders)
        except RuntimeError as error:
            self._lost(error)

    def next_order(self) -> Order:
        order = self._next or self._receive()
        self._next = None
        return order

    def look(self) -> Order | None:
        if self._next is None and self._work is not None and self._work.is_completed():
            self._next = self._receive()
        return self._next

    def sum(self, tensors: Iterable["Tensor"]) -> None:
        try:
            for tensor in tensors:
                self._dist.all_reduce(tensor)
        except RuntimeError as error:
            self._lost(error)

    def meet(self, check: Callable[[], None]) -> None:
        self._meetings += 1
        self._come_to(f"meeting/{self._meetings}")
        if self.is_first:
            self._await_all(f"meeting/{self._meetings}", self.count, check)
            self.tell("met")
            return
        while (order := self.look()) is None or order.kind != "met":
            check()
            time.sleep(_LOOK_SECONDS)
        self.next_order()

    def park(self) -> None:
        self._parkings += 1
        self.tell("park")
        self._await_all(f"parked/{self._parkings}", self.count - 1, lambda: None)

    def has_parked(self) -> None:
        self._parkings += 1
        self._come_to(f"parked/{self._parkings}")

    def fail(self, failure: Failure) -> None:
        if self._is_lost:
            return  # the one that has gone is the reason
        with contextlib.suppress(RuntimeError):
            said = {"rank": self.rank, "code": failure.code, "message": failure.message}
            self._store.compare_set("failure", "", json.dumps(said))

    def _come_to(self, place: str) -> None:
        try:
            self._store.add(place, 1)
        except RuntimeError as error:
            self._lost(error)

    def _await_all(self, place: str, count: int, check: Callable[[], None]) -> None:
        try:
            while self._store.add(place, 0) < count:
                self._raise_told()
                check()
                time.sleep(_LOOK_SECONDS)
        except RuntimeError as error:
            self._lost(error)

    def _post(self) -> None:
        # Asked for ahead, so that the first process never waits for one that is busy.
        self._head = self._torch.zeros(4, dtype=self._torch.float64)
        self._work = None
        if not self.is_first:
            self._work = self._dist.broadcast(self._head, 0, group=self._orders, async_op=True)

    def _receive(self) -> Order:
        assert self._work is not None
        try:
            self._work.wait()
            kind, step, rate, size = self._head.tolist()
            body = self._torch.zeros(int(size), dtype=self._torch.uint8)
            if size:
                self._dist.broadcast(body, 0, group=self._orders)
            self._post()
        except RuntimeError as error:
            self._lost(error)
        return Order(_KINDS[int(kind)], int(step), rate, body.numpy().tobytes())

    def _raise_told(self) -> None:
        """What another process has ended with, if it left word."""
        try:
            if not self._store.check(["failure"]):
                return
            said = json.loads(self._store.get("failure"))
        except RuntimeError:
            return
        raise Failure(said["code"], f"Process {said['rank'] + 1} of {self.count} can't go on: {said['message']}")

    def _lost(self, error: Exception) -> NoReturn:
        self._is_lost = True
        until = time.monotonic() + _LAST_WORDS_SECONDS
        while self.is_first and time.monotonic() < until:
            self._raise_told()
            time.sleep(_LOOK_SECONDS)
        raise gone(self.count, error) from error
