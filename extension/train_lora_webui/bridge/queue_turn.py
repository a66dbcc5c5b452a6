"""A turn in the WebUI's queue, seen by the WebUI as one of its tasks."""

from __future__ import annotations

import random
import string
import threading
import time
from typing import Any

from .cancel import Cancel
from .failure import Failure

own_tasks: set[str] = set()
"""Ids of our tasks that wait or run, so that they aren't counted among the user's own."""

_own_waiters = 0
_count = threading.Lock()


class CalledBack(Failure):
    """The wait for a turn was cancelled before it came."""

    def __init__(self) -> None:
        super().__init__("webui_busy", "The WebUI's queue was not free before the request was called back.")


class QueueTurn:
    """
    `with QueueTurn(kind, cancel):` waits in line and holds the WebUI's queue inside. The lock has no time limit of
    its own, so another thread stands in line; when the wait is cancelled, that thread lets go as soon as it would
    have been served. Raises CalledBack when cancelled first. Must never be entered on an event loop or inside another
    turn.
    """

    def __init__(self, kind: str, cancel: Cancel) -> None:
        self.task = _task_id(kind)
        self._cancel = cancel
        self._handover = threading.Condition()
        self._taken = False
        self._abandoned = False

    def __enter__(self) -> QueueTurn:
        from modules import progress

        own_tasks.add(self.task)
        progress.add_task_to_queue(self.task)
        threading.Thread(target=self._stand_in_line, name=f"train-lora {self.task}", daemon=True).start()
        self._cancel.on_set(self._wake)
        with self._handover:
            self._handover.wait_for(lambda: self._taken or self._cancel.is_set())
            self._abandoned = not self._taken
        if self._abandoned:
            progress.pending_tasks.pop(self.task, None)
            own_tasks.discard(self.task)
            raise CalledBack
        try:
            progress.start_task(self.task)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_thrown: object) -> None:
        from modules import progress

        try:
            progress.finish_task(self.task)
        finally:
            own_tasks.discard(self.task)
            _release_to_next()

    def _stand_in_line(self) -> None:
        global _own_waiters
        lock = _queue_lock()
        with _count:
            _own_waiters += 1
        try:
            lock.acquire()
        finally:
            with _count:
                _own_waiters -= 1
        with self._handover:
            self._taken = not self._abandoned
            self._handover.notify_all()
        if not self._taken:
            lock.release()

    def _wake(self) -> None:
        with self._handover:
            self._handover.notify_all()


def tasks_waiting() -> int:
    """How many of the WebUI's own tasks wait for its queue; ours aren't counted."""
    from modules import progress

    line = getattr(_queue_lock(), "_pending_threads", None)
    if line is None:
        return len([task for task in list(progress.pending_tasks) if task not in own_tasks])
    return max(0, len(line) - _own_waiters)


def has_queue() -> bool:
    """True when this WebUI has the queue that a turn needs."""
    try:
        return _queue_lock() is not None
    except ImportError:
        return False


def _release_to_next(seconds: float = 0.5) -> None:
    """
    Releases the queue and waits until the next in line has it. The lock only wakes that one; whoever asks in this very
    moment, like our own next turn, would get it first, and the woken one would not even be counted as waiting.
    """
    lock = _queue_lock()
    somebody_waits = tasks_waiting() > 0
    lock.release()
    inner = getattr(lock, "_lock", None)
    deadline = time.monotonic() + seconds
    while somebody_waits and time.monotonic() < deadline and not (inner is not None and inner.locked()):
        time.sleep(0.005)


def _queue_lock() -> Any:
    from modules import call_queue

    return call_queue.queue_lock


def _task_id(kind: str, length: int = 7) -> str:
    letters = random.choices(string.ascii_uppercase + string.digits, k=length)
    return f"task(train-lora-{kind}-{''.join(letters)})"
