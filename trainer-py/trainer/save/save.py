"""One epoch into the LoRA folder: complete, under a name of its own, never over another file."""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from trainer import atomic_file
from trainer.failure import Failure, NonFiniteError
from trainer.network.finite import finite
from trainer.network.lora_file import lora_bytes, lora_tensors
from trainer.network.lora_weights import LoraWeights


@dataclass(frozen=True)
class Saved:
    """`file` is a name in the LoRA folder."""

    file: str
    bytes: int
    sshs_model_hash: str


def save_lora(weights: LoraWeights, metadata: dict[str, str], *, folder: Path, file: str, precision: str) -> Saved:
    """Save under `file`; when this session's same epoch is already there, it stays as it is.

    A foreign file of that name is never touched: the LoRA takes the next free name `<name>-2.safetensors` ….
    Raises Failure `disk_full`, and NonFiniteError for a weight that is not finite after rounding to `precision`.
    """
    tensors = lora_tensors(weights, precision)
    if not finite(tensors):
        raise NonFiniteError(f"a weight of the LoRA is not finite in {precision}")
    name = file
    for attempt in range(2, 1000):
        path = folder / name
        if found := _same_epoch(path, metadata):
            return found
        if not path.exists():
            written = _write(path, tensors, {**metadata, **_names(path)})
            if written:
                return written
        name = f"{Path(file).stem}-{attempt}.safetensors"
    raise Failure(
        "crashed", f"Expected a free name for {file} in {folder}, found none; move some files out of that folder."
    )


def write_card(lora: Path, *, description: str, trigger_word: str, notes: str) -> None:
    """The WebUI's card beside the LoRA, `<name>.json`; an existing card is left alone. Raises Failure `disk_full`."""
    card = {
        "description": description,
        "sd version": "SD1",
        "activation text": trigger_word,
        "preferred weight": 0.8,
        "notes": notes,
    }
    path = lora.with_suffix(".json")
    if not path.exists():
        atomic_file.replace(path, [json.dumps(card, ensure_ascii=False, indent=4).encode()])


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> Saved | None:
    content = lora_bytes(tensors, metadata)
    try:
        atomic_file.write_new(path, [content.header, content.block])
    except FileExistsError:
        return None  # another program took the name in this instant
    return Saved(path.name, content.size, content.sshs_model_hash)


def _names(path: Path) -> dict[str, str]:
    return {"ss_output_name": path.stem, "modelspec.title": path.stem}


def _same_epoch(path: Path, metadata: dict[str, str]) -> Saved | None:
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            found = file.metadata() or {}
    except (SafetensorError, OSError):
        return None
    same = all(found.get(key) == metadata[key] for key in ("ss_session_id", "ss_epoch", "ss_steps"))
    return Saved(path.name, path.stat().st_size, found["sshs_model_hash"]) if same else None
