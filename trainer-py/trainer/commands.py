"""What the server asks for on stdin. A closed stdin means pause."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

Command = Literal["pause", "stop"]
Ask = Literal["saveNow", "sampleNow", "extend"]

_LOOK_SECONDS = 0.05


class Interrupted(Exception):
    """Raised between two pieces of work when a command has come in."""

    def __init__(self, command: Command) -> None:
        super().__init__(command)
        self.command = command


class Commands:
    """Listens on file descriptor 0 in the background; Ctrl-C and SIGTERM count as pause.

    `parking` is entered when the server wants the device for somebody else and left when training may go on; it is not
    left in good order when a pause or a stop comes meanwhile, so that nothing asks for the device any more.
    """

    def __init__(self) -> None:
        self._wanted: Command | None = None
        self._asked: list[Ask] = []
        self._park = False
        self._parked_seconds = 0.0
        self.parking: Callable[[], AbstractContextManager[None]] = nullcontext

    def listen(self) -> None:
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._want("pause"))

    def check(self) -> None:
        """Stand still while a park is wanted; raise Interrupted when a pause or a stop waits."""
        if self._park and not self._wanted:
            self._stand_still()
        if self._wanted:
            raise Interrupted(self._wanted)

    def take(self) -> list[Ask]:
        """What has been asked for since the last call, each once, in order."""
        asked, self._asked = self._asked, []
        return list(dict.fromkeys(asked))

    def clock(self) -> float:
        """Seconds that go by, without those of standing still; only differences mean something."""
        return time.perf_counter() - self._parked_seconds

    def _stand_still(self) -> None:
        started = time.perf_counter()
        with self.parking():
            # Looked at now and then, because an event that a signal's handler sets could lock itself out.
            while self._park and not self._wanted:
                time.sleep(_LOOK_SECONDS)
            if self._wanted:
                raise Interrupted(self._wanted)
        self._parked_seconds += time.perf_counter() - started

    def _read(self) -> None:
        # os.read and not sys.stdin: a buffered reader that is blocked in a thread aborts Python's exit.
        rest = b""
        while True:
            try:
                chunk = os.read(0, 4096)
            except OSError:
                chunk = b""
            if not chunk:
                self._want("pause")
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._obey(line)

    def _obey(self, line: bytes) -> None:
        try:
            kind = json.loads(line)["type"]
        except (ValueError, KeyError, TypeError):
            return  # a line that is no command asks for nothing
        if kind in ("pause", "stop"):
            self._want(kind)
        elif kind in ("saveNow", "sampleNow", "extend"):
            self._asked.append(kind)
        elif kind == "stopAndSave":
            self._asked.append("saveNow")
            self._want("stop")
        elif kind in ("park", "unpark"):
            self._park = kind == "park"

    def _want(self, command: Command) -> None:
        # A stop outranks a pause that is already waiting, never the other way round.
        if self._wanted != "stop":
            self._wanted = command
