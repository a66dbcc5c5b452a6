"""The GPU lease: the WebUI's queue held, its models off the GPU, until it is given back."""

from __future__ import annotations

import secrets
import threading
from typing import Any, Callable

from .cancel import Cancel
from .failure import Failure, to_failure
from .gpu_memory import models_off_gpu
from .queue_turn import QueueTurn, tasks_waiting
from .reload import reload_is_blocked

WATCH_SECONDS = 0.3
"""How often the line behind the lease is counted."""


class Lease:
    """
    Runs in a thread of its own from `start` until `release`, because the WebUI's queue may only be held by someone
    who can wait. `settled` is set when it is held or has failed; `ended` when the models are back and the queue is
    free.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None], drop_socket: Callable[[str], None]) -> None:
        self.id = f"lease-{secrets.token_hex(4)}"
        self.freed_mb = 0.0
        self.failure: Failure | None = None
        self.settled = threading.Event()
        self.ended = threading.Event()
        self._end = Cancel()
        self._tell = tell
        self._drop_socket = drop_socket

    def start(self) -> None:
        threading.Thread(target=self._live, name=f"train-lora {self.id}", daemon=True).start()

    def release(self) -> None:
        """Ends the wait or the lease; can be called any number of times, from any thread."""
        self._end.set()

    def is_wanted(self) -> bool:
        """False as soon as it is being given back, or has ended."""
        return not self._end.is_set() and not self.ended.is_set()

    def _live(self) -> None:
        try:
            with QueueTurn("lease", self._end), models_off_gpu() as freed_mb:
                self.freed_mb = freed_mb
                self.settled.set()
                self._hold()
        except Exception as thrown:
            self.failure = to_failure(thrown, "taking its models off the GPU")
        finally:
            self.ended.set()
            self.settled.set()

    def _hold(self) -> None:
        told = 0
        while not self._end.wait(WATCH_SECONDS):
            waiting = tasks_waiting()
            if waiting != told:
                told = waiting
                self._tell({"type": "waiting", "tasks": waiting})
            if waiting > 0 and reload_is_blocked():
                self._drop_socket("the WebUI is being reloaded and waits for its queue")
                return
        if told != 0:
            self._tell({"type": "waiting", "tasks": 0})
