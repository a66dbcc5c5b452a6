"""Latents on disk under the hash of what they were made from, shared by all runs."""

import contextlib
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer import atomic_file
from trainer.plan import Run

MOST_BYTES = 4 * 1024**3


def latent_folder(run: Run, run_dir: Path) -> "LatentFolder":
    """The folder that a run shares with others, or its own one."""
    return LatentFolder(Path(run.cache_dir) / "latents" if run.cache_dir else run_dir / "state" / "latents")


class LatentFolder:
    """One small file a latent, written at once or not at all, so that several runs can use the folder at the same time.

    What was not asked for the longest goes first when all together take more than `most_bytes`.
    """

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._used: set[Path] = set()

    def read(self, key: str) -> Tensor | None:
        """The latent under `key`; None when it is not there or damaged, which costs time only."""
        path = self._path(key)
        try:
            latent = load(path.read_bytes())["latent"]
            os.utime(path)
        except (OSError, SafetensorError, KeyError):
            return None
        self._used.add(path)
        return latent if bool(torch.isfinite(latent).all()) else None

    def write(self, key: str, latent: Tensor) -> None:
        """Keep a latent. Raises Failure `disk_full`."""
        path = self._path(key)
        atomic_file.replace(path, [save({"latent": latent.contiguous()})])
        self._used.add(path)

    def trim(self) -> None:
        """Remove what is too much, but nothing that this run has used."""
        found = []
        for path in self._folder.glob("??/*.safetensors"):
            with contextlib.suppress(OSError):  # another run may have removed it
                facts = path.stat()
                found.append((facts.st_mtime, facts.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found, key=lambda item: item[:2]):
            if total <= self._most_bytes:
                return
            if path not in self._used:
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.safetensors"
