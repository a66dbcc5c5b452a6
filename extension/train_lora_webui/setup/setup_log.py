"""The set-up's log: the last lines for the panel, all of them in a file."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from pathlib import Path

from .masking import mask_secrets

RING_LINES = 1500
FILE_BYTES = 2_000_000
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class SetupLog:
    """Lines are numbered from 0 on through the life of the process. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=RING_LINES)
        self._count = 0
        self._file: Path | None = None

    def open(self, file: Path) -> None:
        """From now on lines go to `file` too; a long old one becomes `.1`."""
        with self._lock:
            self._file = file
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                if file.exists() and file.stat().st_size > FILE_BYTES:
                    file.replace(file.with_name(file.name + ".1"))
            except OSError:
                # A home that can't be written is told by the step that needs it.
                self._file = None

    def add(self, text: str) -> None:
        for raw in _COLOURS.sub("", text).splitlines():
            line = mask_secrets(raw.rstrip())
            if not line:
                continue
            with self._lock:
                self._lines.append(line)
                self._count += 1
                self._append(line)

    def since(self, number: int) -> tuple[int, list[str]]:
        """The lines from `number` on that are still kept, and the number of the line that comes next."""
        with self._lock:
            first = self._count - len(self._lines)
            return self._count, list(self._lines)[max(0, number - first) :]

    def _append(self, line: str) -> None:
        if self._file is None:
            return
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
        except OSError:
            # A full disk must not hide the lines that tell of it.
            self._file = None
