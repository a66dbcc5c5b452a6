"""Keeps two WebUIs from setting up one home at the same time, and clears away what a WebUI that died left running."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

from .child_process import end_group
from .failure import StepFailed

CLEARING_SECONDS = 8.0


class SetupLock:
    """On POSIX our programs keep the file's lock too (`handle` is passed on), so it tells of orphans by itself."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def note_child(self, pid: int | None) -> None:
        content = json.dumps({"owner": os.getpid(), "child": pid}).encode()
        with contextlib.suppress(OSError):
            os.ftruncate(self.handle, 0)
            os.pwrite(self.handle, content, 0) if hasattr(os, "pwrite") else _write_at_start(self.handle, content)

    def release(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.handle)


def take_setup_lock(home: Path) -> SetupLock:
    """Throws StepFailed `busy` while another living WebUI sets up this home, and OSError without the right to write."""
    return _take(home / "setup.lock", home)


def take_repository_lock(repository: Path) -> SetupLock:
    """The same for the extension's own folder, which WebUIs with homes of their own may share."""
    refuse_read_only(repository)
    # In the one folder that is ours, that git ignores and that neither npm nor the build empties.
    return _take(repository / "dist" / "setup.lock", repository)


def refuse_read_only(repository: Path) -> None:
    """The packages and the build lie inside the extension's folder, in places that git ignores."""
    if not os.access(repository, os.W_OK):
        raise StepFailed(
            "permission_denied",
            f"The extension's folder {repository} can't be written. Give the account that runs the WebUI the right to "
            "write it, and press Try again.",
        )


def _take(file: Path, folder: Path) -> SetupLock:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + CLEARING_SECONDS
    while not _lock(handle):
        owner, child = _owner_of(file)
        if time.monotonic() > until or (owner is not None and _is_alive(owner)):
            os.close(handle)
            raise StepFailed(
                "busy",
                f"Another WebUI (process {owner}) is setting up {folder}. Wait until it is done and press Try again.",
            )
        if child is not None:
            end_group(child, hard=True)
        time.sleep(0.2)
    lock = SetupLock(handle)
    lock.note_child(None)
    return lock


def _lock(handle: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            # A byte far behind the content, as Windows lets nobody read a locked one.
            os.lseek(handle, 1_000_000, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_at_start(handle: int, content: bytes) -> None:
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, content)


def _owner_of(file: Path) -> tuple[int | None, int | None]:
    try:
        content = json.loads(file.read_text("utf-8"))
        child = content["child"]
        return int(content["owner"]), None if child is None else int(child)
    except (OSError, ValueError, KeyError, TypeError):
        return None, None


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        # There only the owner itself holds the lock, so a lock that is held has a living owner.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
