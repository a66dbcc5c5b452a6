"""A checkpoint as a mapping of names to tensors, whatever it is stored in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from safetensors import SafetensorError, safe_open
from torch import Tensor

from trainer.failure import Failure
from trainer.model.safe_pickle import read_ckpt

_MOST_MAPPED = 128 * 1024**2
PICKLED = (".ckpt", ".pt", ".pth", ".bin")


class Checkpoint(Protocol):
    """Names of all tensors, their shapes without reading them, and one tensor at a time on the CPU as it is stored.

    metadata is what the file says about itself.
    """

    metadata: Mapping[str, str]

    def keys(self) -> list[str]: ...
    def shape(self, key: str) -> tuple[int, ...]: ...
    def tensor(self, key: str) -> Tensor: ...


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a `.safetensors` or pickled file; tensors are read only when asked for.

    Raises Failure `base_model_missing`, `base_model_corrupt` or `base_model_unsafe`.
    """
    if not path.is_file():
        raise Failure(
            "base_model_missing",
            f"Expected a base model at {path}, but there is no such file; put the file back "
            "or choose another base model.",
        )
    if path.suffix.lower() in PICKLED:
        return _PickledCheckpoint(read_ckpt(path))
    return _SafetensorsCheckpoint(path)


class RenamedCheckpoint:
    """Several checkpoints under other names. places: new name → the checkpoint and its own name there."""

    def __init__(self, places: Mapping[str, tuple[Checkpoint, str]], metadata: Mapping[str, str]) -> None:
        self.metadata = metadata
        self._places = places

    def keys(self) -> list[str]:
        return list(self._places)

    def shape(self, key: str) -> tuple[int, ...]:
        checkpoint, name = self._places[key]
        return checkpoint.shape(name)

    def tensor(self, key: str) -> Tensor:
        checkpoint, name = self._places[key]
        return checkpoint.tensor(name)


class _SafetensorsCheckpoint:
    """The file is mapped, and what was read stays in memory with its map, so that the map is renewed now and then."""

    def __init__(self, path: Path) -> None:
        self._path, self._mapped = path, 0
        try:
            self._file = safe_open(path, framework="pt", device="cpu")
            self._keys = list(self._file.keys())
            self.metadata: Mapping[str, str] = dict(self._file.metadata() or {})
        except (SafetensorError, OSError, ValueError) as error:
            raise Failure(
                "base_model_corrupt",
                f"Expected a complete .safetensors checkpoint in {path.name}, but its header does not fit the file; "
                "copy or download it again.",
                f"{path}: {error}",
            ) from error

    def keys(self) -> list[str]:
        return self._keys

    def shape(self, key: str) -> tuple[int, ...]:
        return tuple(self._file.get_slice(key).get_shape())

    def tensor(self, key: str) -> Tensor:
        if self._mapped > _MOST_MAPPED:
            self._file, self._mapped = safe_open(self._path, framework="pt", device="cpu"), 0
        tensor: Tensor = self._file.get_tensor(key)
        self._mapped += tensor.nbytes
        return tensor


class _PickledCheckpoint:
    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.metadata: Mapping[str, str] = {}
        self._tensors = tensors

    def keys(self) -> list[str]:
        return list(self._tensors)

    def shape(self, key: str) -> tuple[int, ...]:
        return tuple(self._tensors[key].shape)

    def tensor(self, key: str) -> Tensor:
        return self._tensors[key]
