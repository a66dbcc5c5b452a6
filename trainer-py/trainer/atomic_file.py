"""Files that appear complete or not at all."""

import contextlib
import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from trainer.failure import Failure

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def write_new(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file that must not exist yet, through a temporary one in the same folder.

    Raises FileExistsError when the name is taken, Failure `disk_full` when there is no room; nothing is left then.
    """
    partial = _write_partial(path, chunks)
    try:
        _publish(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(path.parent)


def replace(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file, taking the place of an older one in one instant. Raises Failure `disk_full`."""
    partial = _write_partial(path, chunks)
    try:
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(path.parent)


def remove_partials(folder: Path, names: Iterable[str]) -> None:
    """Remove what a killed run has left half written of the files `names`."""
    for name in names:
        for partial in folder.glob(f".{_escape(name)}.*.part"):
            partial.unlink(missing_ok=True)


def disk_full(path: Path, error: OSError) -> Failure | None:
    """The Failure for an OSError that says "no room", else None."""
    if error.errno not in _FULL:
        return None
    return Failure(
        "disk_full",
        f"Expected room for {path.name} in {path.parent}, but the disk is full; free some space there and "
        "resume the run, which goes on from its last saved state.",
        f"{path}: {error}",
    )


def _write_partial(path: Path, chunks: Iterable[bytes]) -> Path:
    partial = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            _write(file, chunks)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        failure = disk_full(path, error)
        if failure:
            raise failure from error
        raise
    return partial


def _write(file: BinaryIO, chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())


def _publish(partial: Path, path: Path) -> None:
    if os.name == "nt":
        partial.rename(path)  # refuses an existing target there
        return
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:
        # File systems without hard links: claim the name first, so that nothing of another program is replaced.
        path.touch(exist_ok=False)
        partial.replace(path)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _escape(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
