"""A LoRA as numbers, and how it is read from the files that people share."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from trainer.failure import Failure
from trainer.targets import TEXT_ENCODER_PREFIX, UNET_PREFIX, module_name


@dataclass(frozen=True)
class LoraModule:
    """The change of one layer: up @ down · alpha / rank.

    down: (rank, in) of a linear layer, (rank, in, kh, kw) of a convolution; up: (out, rank) or (out, rank, 1, 1).
    """

    down: Tensor
    up: Tensor
    alpha: float

    @property
    def rank(self) -> int:
        return self.down.shape[0]

    @property
    def scale(self) -> float:
        return self.alpha / self.rank


@dataclass(frozen=True)
class LoraWeights:
    """All changes of one LoRA by kohya module name."""

    modules: dict[str, LoraModule]


_ROLES = {
    ".lora_down.weight": "down",
    ".lora_up.weight": "up",
    ".lora_A.weight": "down",
    ".lora_B.weight": "up",
    "_lora.down.weight": "down",  # diffusers before PEFT
    "_lora.up.weight": "up",
    ".lora_mid.weight": "mid",
    ".alpha": "alpha",
}
_OTHER_KINDS = {
    "hada_": "LoHa",
    "lokr_": "LoKr",
    "oft_": "OFT",
    "dora_scale": "DoRA",
    "diff": "full difference",
    "on_input": "IA3",
    "a1.": "GLoRA",
}
_PEFT_PREFIXES = {"unet.": UNET_PREFIX, "text_encoder.": TEXT_ENCODER_PREFIX}


def read_lora(path: Path) -> LoraWeights:
    """Read a LoRA or LoCon file in kohya's, diffusers' or PEFT's spelling; tensors keep the file's precision.

    Raises Failure `lora_corrupt` when the file can't be read, is incomplete, or holds another kind of network.
    """
    path = Path(path)
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in _read_tensors(path).items():
        name, role = _place(key, path)
        parts.setdefault(name, {})[role] = tensor
    if not parts:
        raise _corrupt(path, "it holds no LoRA weights")
    return LoraWeights({name: _module(name, tensors, path) for name, tensors in parts.items()})


def read_lora_metadata(path: Path) -> dict[str, str]:
    """The file's metadata; empty when it has none. Raises Failure `lora_corrupt`."""
    try:
        with safe_open(Path(path), framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise _unreadable(Path(path), error) from error


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error


def _place(key: str, path: Path) -> tuple[str, str]:
    for suffix, role in _ROLES.items():
        if key.endswith(suffix):
            return _kohya_name(key.removesuffix(suffix)), role
    suffix = key.partition(".")[2] if key.startswith("lora_") else ""
    kind = next((kind for mark, kind in _OTHER_KINDS.items() if suffix.startswith(mark)), None)
    if kind is not None:
        raise _corrupt(path, f"it is a {kind} file, and only LoRA and LoCon files can be drawn")
    raise _corrupt(path, f"the meaning of {key} is unknown")


def _kohya_name(name: str) -> str:
    for dotted, prefix in _PEFT_PREFIXES.items():
        if name.startswith(dotted):
            # Before PEFT, diffusers named the processor of an attention instead of its layers.
            path = name.removeprefix(dotted).replace(".processor.", ".")
            return module_name(prefix, f"{path}.0" if path.endswith(".to_out") else path)
    return name


def _module(name: str, tensors: dict[str, Tensor], path: Path) -> LoraModule:
    missing = [role for role in ("down", "up") if role not in tensors]
    if missing:
        raise _corrupt(path, f"{name} lacks its lora_{missing[0]} weight")
    down, up = tensors["down"], tensors["up"]
    if "mid" in tensors:
        # Tucker form: a 3×3 kernel between two 1×1 ones is one 3×3 kernel towards the rank.
        down = torch.einsum("orhw,ri->oihw", tensors["mid"].float(), down.flatten(1).float()).to(down.dtype)
    if down.ndim < 2 or up.ndim < 2 or up.shape[1] != down.shape[0]:
        raise _corrupt(path, f"the shapes {tuple(down.shape)} and {tuple(up.shape)} in {name} do not belong together")
    if not (torch.isfinite(down).all() and torch.isfinite(up).all()):
        raise _corrupt(path, f"{name} holds numbers that are not finite")
    alpha = float(tensors["alpha"]) if "alpha" in tensors else float(down.shape[0])
    return LoraModule(down=down, up=up, alpha=alpha)


def _unreadable(path: Path, error: Exception) -> Failure:
    if not path.exists():
        return _corrupt(path, "there is no such file")
    return _corrupt(path, "it is no complete safetensors file", str(error))


def _corrupt(path: Path, what: str, details: str | None = None) -> Failure:
    return Failure(
        "lora_corrupt", f"Expected a LoRA file at {path}, but {what}; choose another file or copy it anew.", details
    )
