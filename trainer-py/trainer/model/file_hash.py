"""Hashes by which WebUIs know a checkpoint, computed beside the training."""

import hashlib
import threading
from pathlib import Path


class FileHash:
    """Starts reading `path` in a thread at once; `new` and `old` wait for it.

    A model that is a folder has the hashes of its weight files one after another.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = ""
        self._old = ""
        self._thread = threading.Thread(target=self._read, name="hash", daemon=True)
        self._thread.start()

    @property
    def new(self) -> str:
        """sha256 of the whole file, 64 hex digits."""
        self._thread.join()
        return self._new

    @property
    def old(self) -> str:
        """The first 8 hex digits of the sha256 of 64 KiB from offset 1 MiB."""
        self._thread.join()
        return self._old

    def _read(self) -> None:
        whole = hashlib.sha256()
        for number, path in enumerate(_files(self._path)):
            with path.open("rb") as file:
                if number == 0:
                    file.seek(0x100000)
                    self._old = hashlib.sha256(file.read(0x10000)).hexdigest()[:8]
                    file.seek(0)
                while chunk := file.read(1 << 22):
                    whole.update(chunk)
        self._new = whole.hexdigest()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.glob("*/*") if file.suffix in (".safetensors", ".bin"))
    return sorted(found, key=lambda file: _PARTS.get(file.parent.name, len(_PARTS)))


_PARTS = {"unet": 0, "vae": 1, "text_encoder": 2, "text_encoder_2": 3}
