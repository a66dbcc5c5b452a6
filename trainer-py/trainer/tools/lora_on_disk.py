"""LoRA files as the tools read and write them: whole, with their metadata, never over another file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from trainer import atomic_file
from trainer.failure import Failure, NonFiniteError
from trainer.network.finite import finite
from trainer.network.lora_file import SAVE_DTYPES, lora_bytes, lora_tensors
from trainer.network.lora_weights import LoraWeights
from trainer.network.read_lora import read_lora, read_lora_metadata


@dataclass(frozen=True)
class LoraOnDisk:
    """precision: that of the file's tensors, by its name in settings."""

    path: Path
    weights: LoraWeights
    metadata: dict[str, str]
    precision: str


def read_whole(path: Path) -> LoraOnDisk:
    """A LoRA file of any spelling. Raises Failure `lora_corrupt`."""
    weights = read_lora(path)
    tensor = next(iter(next(iter(weights.modules.values())).tensors().values()))
    precision = next((name for name, dtype in SAVE_DTYPES.items() if dtype == tensor.dtype), "float")
    return LoraOnDisk(path, weights, read_lora_metadata(path), precision)


def write_lora(
    path: Path, weights: LoraWeights, metadata: dict[str, str], *, note: str, precision: str
) -> dict[str, Any]:
    """Write `weights` in kohya's keys; the note goes before the training comment. What is said about the new file.

    Raises Failure `bad_request` when there is such a file or when `precision`
    is too narrow for the numbers, `disk_full`.
    """
    return write_tensors(path, lora_tensors(weights, precision), metadata, note=note)


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str], *, note: str) -> dict[str, Any]:
    """Like `write_lora`, with keys of any spelling. ss_* stay, the hashes are those of the new file."""
    if path.suffix != ".safetensors":
        raise Failure("bad_request", f"Expected a name that ends in .safetensors for the new file, got {path.name}.")
    if not finite(tensors):
        raise _too_large(path) from NonFiniteError("a number is too large for the precision")
    content = lora_bytes(tensors, _told(path, metadata, note))
    try:
        atomic_file.write_new(path, [content.header, content.block])
    except FileExistsError as error:
        raise Failure(
            "bad_request", f"Expected no file at {path}, but there is one, which stays; choose another name."
        ) from error
    return {"file": str(path), "bytes": content.size, "sshs_model_hash": content.sshs_model_hash, "note": note}


def _told(path: Path, metadata: dict[str, str], note: str) -> dict[str, str]:
    kept = {key: value for key, value in metadata.items() if not key.startswith("sshs_")}
    before = kept.get("ss_training_comment", "")
    comment = note if before in ("", "None") else f"{note}; {before}"
    return {**kept, "ss_training_comment": comment, "ss_output_name": path.stem, "modelspec.title": path.stem}


def _too_large(path: Path) -> Failure:
    return Failure(
        "bad_request",
        f"Expected numbers that the precision of {path.name} can hold, but some are too large; use smaller weights, or "
        "another precision.",
    )
