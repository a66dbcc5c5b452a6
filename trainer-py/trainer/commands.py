"""What the server asks for on stdin: pause or stop. A closed stdin means pause."""

import json
import os
import signal
import threading
from typing import Literal

Command = Literal["pause", "stop"]


class Interrupted(Exception):
    """Raised between two pieces of work when a command has come in."""

    def __init__(self, command: Command) -> None:
        super().__init__(command)
        self.command = command


class Commands:
    """Listens on file descriptor 0 in the background; Ctrl-C and SIGTERM count as pause."""

    def __init__(self) -> None:
        self._wanted: Command | None = None

    def listen(self) -> None:
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._want("pause"))

    def check(self) -> None:
        """Raise Interrupted when a command waits."""
        if self._wanted:
            raise Interrupted(self._wanted)

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

    def _want(self, command: Command) -> None:
        # A stop outranks a pause that is already waiting, never the other way round.
        if self._wanted != "stop":
            self._wanted = command
