"""Runs one program of the set-up in a group of its own, line by line, until it ends or is cancelled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAIL_LINES = 60
GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Ended:
    """`code` is negative for a signal; `tail` holds the last lines."""

    code: int
    tail: tuple[str, ...]


@dataclass(frozen=True)
class Surroundings:
    """`on_start` gets the process id; `held` is a file handle that it keeps open while any part of it lives."""

    folder: Path
    environment: Mapping[str, str]
    cancelled: threading.Event
    on_start: Callable[[int], None] = lambda pid: None
    held: int | None = None


def run_child(command: Sequence[str], on_line: Callable[[str], None], around: Surroundings) -> Ended:
    """Blocks until the program and its output have ended. Cancelling ends its whole group. Throws OSError."""
    child = subprocess.Popen(
        list(command),
        cwd=around.folder,
        env=dict(around.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        **_group(around.held),
    )
    around.on_start(child.pid)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    reader = threading.Thread(
        target=_read_lines, args=(child, on_line, tail), name="train-lora-setup-lines", daemon=True
    )
    reader.start()
    _wait(child, around.cancelled)
    # A grandchild that left the group may hold the pipe for ever.
    reader.join(GRACE_SECONDS)
    return Ended(child.returncode, tuple(tail))


def end_group(pid: int, hard: bool) -> None:
    """Asks the group of a program that `run_child` started to end, or ends it."""
    with contextlib.suppress(OSError):
        if os.name == "nt":
            command = windows_kill(pid, hard)
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)
        else:
            os.killpg(pid, signal.SIGKILL if hard else signal.SIGTERM)


def windows_kill(pid: int, hard: bool) -> list[str]:
    """The command that ends a program with all that it has started. Without force it only asks, which many ignore."""
    return ["taskkill", "/T", *(["/F"] if hard else []), "/PID", str(pid)]


def _group(held: int | None) -> dict[str, Any]:
    if os.name == "nt":
        return {
            "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            | getattr(subprocess, "CREATE_NO_WINDOW", 0)
        }
    return {"start_new_session": True, "pass_fds": () if held is None else (held,)}


def _read_lines(child: subprocess.Popen[str], on_line: Callable[[str], None], tail: deque[str]) -> None:
    if child.stdout is None:
        return
    with child.stdout:
        for raw in child.stdout:
            line = raw.rstrip()
            if line:
                tail.append(line)
                on_line(line)


def _wait(child: subprocess.Popen[str], cancelled: threading.Event) -> None:
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.2)
            return
        if cancelled.is_set():
            break
    end_group(child.pid, hard=False)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    # Also after the first has gone: its children may not have listened.
    end_group(child.pid, hard=True)
    child.wait()
