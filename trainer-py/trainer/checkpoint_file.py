"""A single-file checkpoint as a mapping of names to tensors, and what kind of model it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from safetensors import SafetensorError, safe_open
from torch import Tensor

from trainer.failure import Failure
from trainer.ldm_keys import TEXT_PREFIXES, UNET_PREFIX, VAE_PREFIX
from trainer.safe_pickle import read_ckpt


class Checkpoint(Protocol):
    """Names of all tensors, and one tensor at a time on the CPU as it is stored."""

    def keys(self) -> list[str]: ...
    def tensor(self, key: str) -> Tensor: ...


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a `.safetensors` or `.ckpt` file; tensors are read only when asked for.

    Raises Failure `base_model_missing`, `base_model_corrupt` or `base_model_unsafe`.
    """
    if not path.is_file():
        raise Failure(
            "base_model_missing",
            f"Expected a base model at {path}, but there is no such file; put the file back "
            "or choose another base model.",
        )
    if path.suffix.lower() in (".ckpt", ".pt", ".pth"):
        return _PickledCheckpoint(read_ckpt(path))
    return _SafetensorsCheckpoint(path)


def check_kind(checkpoint: Checkpoint, path: Path) -> None:
    """Raise Failure `base_model_unsupported` unless this is a whole Stable Diffusion 1.x model of 4 input channels."""
    found = _foreign_kind(checkpoint)
    if found:
        raise Failure(
            "base_model_unsupported",
            f"Expected a Stable Diffusion 1.x checkpoint, but {path.name} is {found}; "
            "choose a model of the 1.x family.",
        )


def _foreign_kind(checkpoint: Checkpoint) -> str | None:
    keys = checkpoint.keys()
    for mark, kind in _MARKS:
        if any(key.startswith(mark) for key in keys):
            return kind
    for prefix, part in ((UNET_PREFIX, "UNet"), (VAE_PREFIX, "autoencoder (VAE)"), (TEXT_PREFIXES[-1], "text encoder")):
        if not any(key.startswith(prefix) for key in keys):
            return f"not complete: it holds no {part} of that family"
    channels = checkpoint.tensor(f"{UNET_PREFIX}input_blocks.0.0.weight").shape[1]
    if channels != 4:
        return f"an inpainting or editing model with {channels} input channels"
    return None


_MARKS = (
    ("conditioner.embedders.", "a Stable Diffusion XL model"),
    ("cond_stage_model.model.", "a Stable Diffusion 2.x model"),
    (f"{UNET_PREFIX}joint_blocks.", "a Stable Diffusion 3 model"),
    (f"{UNET_PREFIX}double_blocks.", "a Flux model"),
    ("double_blocks.", "a Flux model"),
    ("lora_unet_", "a LoRA"),
    ("lora_te", "a LoRA"),
    ("control_model.", "a ControlNet"),
    ("down_blocks.", "the UNet alone of a model in diffusers' folder layout"),
    ("text_model.", "a text encoder alone"),
)


class _SafetensorsCheckpoint:
    def __init__(self, path: Path) -> None:
        try:
            self._file = safe_open(path, framework="pt", device="cpu")
            self._keys = list(self._file.keys())
        except (SafetensorError, OSError, ValueError) as error:
            raise Failure(
                "base_model_corrupt",
                f"Expected a complete .safetensors checkpoint in {path.name}, but its header does not fit the file; "
                "copy or download it again.",
                f"{path}: {error}",
            ) from error

    def keys(self) -> list[str]:
        return self._keys

    def tensor(self, key: str) -> Tensor:
        return self._file.get_tensor(key)


class _PickledCheckpoint:
    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors

    def keys(self) -> list[str]:
        return list(self._tensors)

    def tensor(self, key: str) -> Tensor:
        return self._tensors[key]
