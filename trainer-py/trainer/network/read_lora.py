"""How networks are read from the files that people share."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from trainer.failure import Failure
from trainer.network.lora_weights import LohaModule, LokrModule, LoraModule, LoraWeights, NetworkModule
from trainer.network.targets import TEXT_ENCODER_PREFIX, UNET_PREFIX, module_name

_ROLES = {
    ".lora_down.weight": "down",
    ".lora_up.weight": "up",
    ".lora_A.weight": "down",
    ".lora_B.weight": "up",
    ".lora.down.weight": "down",
    ".lora.up.weight": "up",
    "_lora.down.weight": "down",  # diffusers before PEFT
    "_lora.up.weight": "up",
    ".lora_mid.weight": "mid",
    ".lora_magnitude_vector.weight": "dora_scale",
    ".lora_magnitude_vector": "dora_scale",
    ".alpha": "alpha",
    ".dora_scale": "dora_scale",
    **{f".hada_{role}": f"hada_{role}" for role in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f".lokr_{role}": f"lokr_{role}" for role in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")},
}
_OTHER_KINDS = {"oft_": "OFT", "diff": "full difference", "on_input": "IA3", "a1.": "GLoRA", "w_norm": "norm"}
_PEFT_PREFIXES = {
    "base_model.model.": UNET_PREFIX,
    "unet.": UNET_PREFIX,
    "text_encoder.": TEXT_ENCODER_PREFIX,
    "text_encoder_2.": "lora_te2_",
}


def read_lora(path: Path) -> LoraWeights:
    """Read a LoRA, LoCon, DoRA, LoHa or LoKr in kohya's, LyCORIS', diffusers' or PEFT's spelling.

    Tensors keep the file's precision. A file with a second text encoder has SDXL's names (lora_te1_, lora_te2_).
    Raises Failure `lora_corrupt` when the file can't be read, is incomplete, or holds another kind of network.
    """
    path = Path(path)
    parts: dict[str, dict[str, Tensor]] = {}
    tensors = _read_tensors(path)
    has_two = any(key.startswith("text_encoder_2.") for key in tensors)
    for key, tensor in tensors.items():
        name, role = _place(key, path)
        if has_two and name.startswith(TEXT_ENCODER_PREFIX):
            name = "lora_te1_" + name.removeprefix(TEXT_ENCODER_PREFIX)
        parts.setdefault(name, {})[role] = tensor
    if not parts:
        raise _corrupt(path, "it holds no LoRA weights")
    return LoraWeights({name: _module(name, tensors, path) for name, tensors in parts.items()})


def lora_keys(path: Path) -> dict[str, str]:
    """Every module of the file as it is spelt there → its kohya name. Raises Failure `lora_corrupt`."""
    path = Path(path)
    keys = list(_read_tensors(path))
    suffixes = {key: next((suffix for suffix in _ROLES if key.endswith(suffix)), "") for key in keys}
    return {key.removesuffix(suffix): _place(key, path)[0] for key, suffix in suffixes.items()}


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
        raise _corrupt(path, f"it is a {kind} file, and only LoRA, LoCon, DoRA, LoHa and LoKr files can be used")
    raise _corrupt(path, f"the meaning of {key} is unknown")


def _kohya_name(name: str) -> str:
    for dotted, prefix in _PEFT_PREFIXES.items():
        if name.startswith(dotted):
            # Before PEFT, diffusers named the processor of an attention instead of its layers.
            path = name.removeprefix(dotted).replace(".processor.", ".")
            # transformers 5 has dropped a level that all other files name.
            path = f"text_model.{path}" if path.startswith("encoder.layers.") else path
            return module_name(prefix, f"{path}.0" if path.endswith(".to_out") else path)
    return name


def _module(name: str, tensors: dict[str, Tensor], path: Path) -> NetworkModule:
    broken = next((role for role, tensor in tensors.items() if not torch.isfinite(tensor).all()), None)
    if broken:
        raise _corrupt(path, f"{name} holds numbers that are not finite")
    if any(role.startswith("hada_") for role in tensors):
        return _loha(name, tensors, path)
    if any(role.startswith("lokr_") for role in tensors):
        return _lokr(name, tensors, path)
    return _lora(name, tensors, path)


def _lora(name: str, tensors: dict[str, Tensor], path: Path) -> LoraModule:
    _demand(name, tensors, {"down": "lora_down weight", "up": "lora_up weight"}, path)
    down, up = tensors["down"], tensors["up"]
    if "mid" in tensors:
        # Tucker form: a 3×3 kernel between two 1×1 ones is one 3×3 kernel towards the rank.
        down = torch.einsum("orhw,ri->oihw", tensors["mid"].float(), down.flatten(1).float()).to(down.dtype)
    if down.ndim < 2 or up.ndim < 2 or up.shape[1] != down.shape[0]:
        raise _misfit(name, down, up, path)
    return LoraModule(down, up, _alpha(tensors, down.shape[0]), _magnitude(tensors, down.ndim, up.shape[0]))


def _loha(name: str, tensors: dict[str, Tensor], path: Path) -> LohaModule:
    _demand(name, tensors, {f"hada_{role}": f"hada_{role}" for role in ("w1_a", "w1_b", "w2_a", "w2_b")}, path)
    found = {role: tensors.get(f"hada_{role}") for role in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")}
    facts: dict[str, Any] = {role: tensor for role, tensor in found.items() if tensor is not None}
    rank = facts["w1_b"].shape[0]
    for a, b, tucker in (("w1_a", "w1_b", "t1"), ("w2_a", "w2_b", "t2")):
        if facts[b].shape[0] != facts[a].shape[0 if tucker in facts else 1]:
            raise _misfit(name, facts[b], facts[a], path)
    return LohaModule(**facts, alpha=_alpha(tensors, rank), dora_scale=tensors.get("dora_scale"))


def _lokr(name: str, tensors: dict[str, Tensor], path: Path) -> LokrModule:
    for half in ("lokr_w1", "lokr_w2"):
        if half not in tensors:
            _demand(name, tensors, {f"{half}_{end}": f"{half}_{end}" for end in ("a", "b")}, path)
    facts: dict[str, Any] = {role[5:]: tensor for role, tensor in tensors.items() if role.startswith("lokr_")}
    for a, b, tucker in (("w1_a", "w1_b", ""), ("w2_a", "w2_b", "t2")):
        if b in facts and facts[b].shape[0] != facts[a].shape[0 if tucker in facts else 1]:
            raise _misfit(name, facts[b], facts[a], path)
    inner = facts.get("w2_b", facts.get("w1_b"))
    alpha = _alpha(tensors, 1 if inner is None else inner.shape[0])
    return LokrModule(**facts, alpha=alpha, dora_scale=tensors.get("dora_scale"))


def _demand(name: str, tensors: dict[str, Tensor], roles: dict[str, str], path: Path) -> None:
    missing = next((words for role, words in roles.items() if role not in tensors), None)
    if missing:
        raise _corrupt(path, f"{name} lacks its {missing}")


def _alpha(tensors: dict[str, Tensor], rank: int) -> float:
    return float(tensors["alpha"]) if "alpha" in tensors else float(rank)


def _magnitude(tensors: dict[str, Tensor], ndim: int, out: int) -> Tensor | None:
    scale = tensors.get("dora_scale")
    if scale is None or scale.ndim > 1:
        return scale
    # PEFT's magnitude vector has one number for each output.
    return scale.view(out, *(1 for _ in range(ndim - 1)))


def _misfit(name: str, first: Tensor, second: Tensor, path: Path) -> Failure:
    shapes = f"{tuple(first.shape)} and {tuple(second.shape)}"
    return _corrupt(path, f"the shapes {shapes} in {name} do not belong together")


def _unreadable(path: Path, error: Exception) -> Failure:
    if not path.exists():
        return _corrupt(path, "there is no such file")
    return _corrupt(path, "it is no complete safetensors file", str(error))


def _corrupt(path: Path, what: str, details: str | None = None) -> Failure:
    return Failure(
        "lora_corrupt", f"Expected a LoRA file at {path}, but {what}; choose another file or copy it anew.", details
    )
