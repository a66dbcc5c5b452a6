"""Reading `.ckpt` files without ever running what they hold."""

import pickle
import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from trainer.failure import Failure


class _TrainingLeftover(dict[str, object]):
    """Stands for bookkeeping objects that training frameworks leave in checkpoints; their content is ignored."""


_LEFTOVERS = (
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
)
_NUMPY_SCALAR = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
_KNOWN = {
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "numpy.dtype",
    "_codecs.encode",
    *_LEFTOVERS,
    *_NUMPY_SCALAR,
}


def read_ckpt(path: Path) -> dict[str, Tensor]:
    """The tensors of a pickled checkpoint, by torch's weights-only unpickler.

    Raises Failure `base_model_unsafe` when the file names any code, `base_model_corrupt` when it can't be read.
    """
    foreign = sorted(set(_named_objects(path)) - _KNOWN)
    foreign = [name for name in foreign if not (name.startswith("torch.") and name.endswith("Storage"))]
    if foreign:
        _refuse(path, foreign[0])
    state = _unpickle(path)
    state = state.get("state_dict", state) if isinstance(state, dict) else {}
    tensors = {str(key): value for key, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise Failure(
            "base_model_corrupt",
            f"Expected the weights of a checkpoint in {path.name}, found none; choose another file.",
        )
    return tensors


def _unpickle(path: Path) -> Any:  # noqa: ANN401
    stand_ins: list[Any] = [(_TrainingLeftover, name) for name in _LEFTOVERS]
    scalar = np.float64(0).__reduce__()[0]
    stand_ins += [(scalar, name) for name in _NUMPY_SCALAR]
    stand_ins += [np.dtype, type(np.dtype(np.float64)), type(np.dtype(np.float32)), type(np.dtype(np.int64))]
    try:
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        if "Unsupported" in str(error) or "not allowed" in str(error):
            _refuse(path, "an object of another program")
        raise _corrupt(path, error) from error
    except (RuntimeError, EOFError, KeyError, ValueError, AttributeError, OSError) as error:
        raise _corrupt(path, error) from error


def _named_objects(path: Path) -> Iterator[str]:
    # Reads the pickle's opcodes only, which executes nothing.
    try:
        for stream in _pickle_streams(path):
            yield from _globals_of(stream)
    except (ValueError, IndexError, zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise _corrupt(path, error) from error


def _pickle_streams(path: Path) -> Iterator[bytes]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            pickles = [name for name in archive.namelist() if name.endswith(".pkl")]
            if not pickles:
                raise ValueError("the archive holds no pickle")
            for name in pickles:
                yield archive.read(name)
        return
    with path.open("rb") as file:
        # The legacy layout is a row of pickles: magic number, protocol, system, object, storage keys.
        for _ in range(5):
            start = file.tell()
            try:
                for _opcode in pickletools.genops(file):
                    pass
            except ValueError:
                if start == 0:
                    raise
                return
            end = file.tell()
            file.seek(start)
            yield file.read(end - start)


def _globals_of(stream: bytes) -> Iterator[str]:
    strings: list[str] = []
    memo: dict[int, str] = {}
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".", 1)
        elif opcode.name == "STACK_GLOBAL":
            yield ".".join(strings[-2:])
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = strings[-1] if strings else ""
        elif opcode.name in ("BINGET", "LONG_BINGET", "GET"):
            strings.append(memo.get(int(str(argument)), ""))
        elif isinstance(argument, str):
            strings.append(argument)


def _refuse(path: Path, what: str) -> NoReturn:
    raise Failure(
        "base_model_unsafe",
        f"{path.name} holds code ({what}) where only weights are allowed, so it was not opened; "
        "use a .safetensors file of this model.",
    )


def _corrupt(path: Path, error: Exception) -> Failure:
    return Failure(
        "base_model_corrupt",
        f"Expected a complete checkpoint in {path.name}, but it can't be read; copy or download the file again.",
        f"{path}: {error}",
    )
