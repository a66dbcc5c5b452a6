"""A tagger's files from a hub: resumed where a try was cut off, checked by their hash, there whole or not at all."""

import hashlib
import json
import os
import shutil
import threading
import time
from http.client import HTTPResponse
from pathlib import Path

from tagger.hub import CONNECTION_ERRORS, BrokenError, HubFile, broken, look_up, read_from
from tagger.requests import Download, name_of
from trainer.atomic_file import disk_full
from trainer.events import emit
from trainer.failure import Failure

_CHUNK = 1 << 18
_TELL_SECONDS = 0.25
_MOST_IDLE_TRIES = 5
_MOST_WRONG_HASHES = 2
_SPARE_BYTES = 50_000_000


class _Stopped(Exception):
    pass


def download(request: Download, stop: threading.Event) -> None:
    """Fetch all files, then say `done`, or `stopped`; a later call goes on where this one ended. Raises Failure."""
    request.folder_path.mkdir(parents=True, exist_ok=True)
    try:
        for file in request.files:
            fetched = _fetch(request, file, stop)
            emit({"type": "downloaded", "file": name_of(file), "hash": fetched.hash, "bytes": fetched.size})
    except _Stopped:
        emit({"type": "stopped"})
        return
    emit({"type": "done"})


def _fetch(request: Download, file: str, stop: threading.Event) -> HubFile:
    target = request.folder_path / name_of(file)
    tries = _Tries(request.retry_seconds, stop)
    wrong = 0
    while True:
        try:
            there = look_up(request.endpoint, request.repository, request.revision, file)
            if target.is_file() and _matches(target, there):
                return there
            part = _Part(target, there)
            part.fill(tries, stop)
        except BrokenError as error:
            tries.wait(error, file)
            continue
        if _matches(part.path, there):
            part.publish()
            return there
        part.forget()
        wrong += 1
        if wrong == _MOST_WRONG_HASHES:
            raise Failure(
                "download_failed",
                f"Expected {name_of(file)} with the hash {there.hash} that the hub tells, but other bytes came, twice; "
                "nothing of it was kept. Try again later or use another hub (HF_ENDPOINT).",
            )


class _Tries:
    """Counts the tries in a row that brought nothing and waits between them."""

    def __init__(self, first_wait: float, stop: threading.Event) -> None:
        self._first_wait = first_wait
        self._stop = stop
        self._idle = 0

    def progressed(self) -> None:
        self._idle = 0

    def wait(self, error: BrokenError, file: str) -> None:
        self._idle += 1
        if self._idle >= _MOST_IDLE_TRIES:
            raise Failure(
                "download_failed",
                f"Expected {file} from the hub, but {error}; what has come is kept and the next try goes on from "
                "there. Check the connection, or set HF_ENDPOINT to a hub that can be reached.",
            ) from error
        if self._stop.wait(error.after if error.after is not None else self._first_wait * 2 ** (self._idle - 1)):
            raise _Stopped


class _Part:
    """The beginning of a file that has come so far, with a note of which file it is."""

    def __init__(self, target: Path, there: HubFile) -> None:
        self._target = target
        self._there = there
        self.path = target.with_name(f".{target.name}.part")
        self._note = target.with_name(f".{target.name}.part.json")

    def fill(self, tries: _Tries, stop: threading.Event) -> None:
        """Fetch what is missing. Raises BrokenError when the connection breaks, Failure `disk_full`."""
        have = self._size()
        if have < self._there.size or have == 0:
            self._expect_room(self._there.size - have)
            response, start = read_from(self._there, have)
            with response:
                self._append(response, start, tries, stop)
            if self.path.stat().st_size < self._there.size:
                raise BrokenError("the connection was cut off")

    def publish(self) -> None:
        self.path.replace(self._target)
        self._note.unlink(missing_ok=True)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _size(self) -> int:
        try:
            noted = json.loads(self._note.read_text(encoding="utf-8"))
            size = self.path.stat().st_size
        except (OSError, ValueError):
            noted, size = None, 0
        if noted == {"hash": self._there.hash, "size": self._there.size} and size <= self._there.size:
            return size
        self.forget()
        self._note.write_text(json.dumps({"hash": self._there.hash, "size": self._there.size}), encoding="utf-8")
        return 0

    def _append(self, response: HTTPResponse, start: int, tries: _Tries, stop: threading.Event) -> None:
        told = 0.0
        done = start
        with self.path.open("r+b" if start > 0 else "wb") as file:
            file.seek(start)
            while chunk := _next_chunk(response):
                if stop.is_set():
                    raise _Stopped
                try:
                    file.write(chunk)
                except OSError as error:
                    raise disk_full(self._target, error) or error from error
                done += len(chunk)
                tries.progressed()
                if done > self._there.size:
                    break
                if time.monotonic() - told >= _TELL_SECONDS:
                    told = time.monotonic()
                    emit({"type": "downloading", "file": self._target.name, "done": done, "total": self._there.size})
            file.flush()
            os.fsync(file.fileno())

    def _expect_room(self, missing: int) -> None:
        free = shutil.disk_usage(self._target.parent).free
        if free < missing + _SPARE_BYTES:
            raise Failure(
                "disk_full",
                f"Expected {missing // 1_000_000} MB of room for {self._target.name} in {self._target.parent}, but "
                f"there are {free // 1_000_000} MB; free some space and try again.",
            )


def _next_chunk(response: HTTPResponse) -> bytes:
    try:
        return response.read(_CHUNK)
    except CONNECTION_ERRORS as error:
        raise broken(error) from error


def _matches(path: Path, there: HubFile) -> bool:
    if not path.is_file() or path.stat().st_size != there.size:
        return False
    # git names a file by its size and its bytes.
    digest = (
        hashlib.sha256()
        if len(there.hash) == 64
        else hashlib.sha1(f"blob {there.size}\0".encode(), usedforsecurity=False)
    )
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest() == there.hash
