"""A signal that ends waiting and working: sent by the server, or by a lost socket."""

from __future__ import annotations

import threading
from typing import Callable


class Cancel:
    """Is set once and for all; whoever waits elsewhere is woken by a callback."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits at most `seconds`; true when it is set."""
        return self._event.wait(seconds)

    def set(self) -> None:
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_set(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once: now, if it is set already."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()
