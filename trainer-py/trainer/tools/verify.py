"""Whether the programs that draw find a layer for everything in a LoRA file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import nn

from trainer.failure import Failure
from trainer.network.lora_names import diffusers_name
from trainer.network.lora_weights import NetworkModule
from trainer.network.module_fit import check_fit
from trainer.network.read_lora import lora_keys, read_lora, read_lora_metadata
from trainer.tools.known_models import kind_of, known_layers, layers_of
from trainer.tools.requests import Verify


def verify(request: Verify) -> dict[str, Any]:
    """Per program the modules that it finds no layer for, and what it can't do with this file at all.

    The base model is `base`, else the ordinary one of `kind`, else the one that the file says it is for.
    """
    path = Path(request.file)
    weights = read_lora(path)
    metadata = read_lora_metadata(path)
    if request.base:
        kind, layers = layers_of(Path(request.base))
    else:
        kind = request.kind or kind_of(metadata, list(weights.modules))
        layers = known_layers(kind)
    by_name = {_common(name, kind): layer for name, layer in layers.items()}
    misfits = frozenset(name for name, module in weights.modules.items() if not _fits(name, module, by_name, kind))
    file = _File(kind, lora_keys(path), weights.modules, misfits, _has_pairs(path))
    programs = {program: _program(program, file) for program in ("a1111", "forge", "diffusers")}
    return {
        "file": str(path),
        "kind": kind,
        "base": request.base or None,
        "modules": len(weights.modules),
        "programs": programs,
        "complete": not any(found["unmatched"] for found in programs.values()),
    }


@dataclass(frozen=True)
class _File:
    """keys: modules as they are spelt → their kohya names; misfits: names that no layer of the base model fits."""

    kind: str
    keys: dict[str, str]
    modules: dict[str, NetworkModule]
    misfits: frozenset[str]
    has_pairs: bool


def _common(name: str, kind: str) -> str:
    common = diffusers_name(name)
    # With one text encoder both prefixes mean the same.
    return common if kind == "sdxl" else common.replace("lora_te1_", "lora_te_", 1)


def _fits(name: str, module: NetworkModule, layers: dict[str, nn.Module], kind: str) -> bool:
    layer = layers.get(_common(name, kind))
    if not isinstance(layer, (nn.Linear, nn.Conv2d)):
        return False
    try:
        check_fit(name, module, layer.weight)
    except Failure:
        return False
    return True


def _program(program: str, file: _File) -> dict[str, Any]:
    unmatched = sorted(raw for raw, name in file.keys.items() if not _is_loaded(program, raw, name, file))
    return {"matched": len(file.keys) - len(unmatched), "unmatched": unmatched, "notes": _notes(program, file)}


def _is_loaded(program: str, raw: str, name: str, file: _File) -> bool:
    if name in file.misfits or (file.kind == "sdxl" and name.startswith("lora_te_")):
        return False
    if program == "diffusers" and file.modules[name].kind != "LoRA":
        return False
    if raw.startswith("lora_"):
        return True
    if program == "diffusers":
        return raw.startswith(("unet.", "text_encoder"))
    # Forge knows diffusers' names, but those of attention layers only by their old processors.
    return program == "forge" and (raw.startswith("text_encoder") or ".to_" not in raw or ".processor." in raw)


def _notes(program: str, file: _File) -> list[str]:
    notes = []
    kinds = {module.kind for module in file.modules.values()}
    if program == "diffusers" and kinds - {"LoRA"}:
        notes.append(f"diffusers does not load {' and '.join(sorted(kinds - {'LoRA'}))}.")
    if program == "a1111" and any(_is_by_output(module) for module in file.modules.values()):
        notes.append("A1111 reads dora_scale as lengths of the inputs, but these are of the outputs.")
    if program == "a1111" and "DoRA" in kinds:
        notes.append("A1111 loads DoRA from version 1.9.0.")
    if program == "a1111" and file.has_pairs:
        notes.append("A1111 reads lora_A and lora_B from version 1.10.0.")
    return notes


def _has_pairs(path: Path) -> bool:
    with safe_open(path, framework="pt") as opened:
        return any(key.startswith("lora_") and ".lora_A." in key for key in opened.keys())  # noqa: SIM118


def _is_by_output(module: NetworkModule) -> bool:
    scale = module.dora_scale
    return scale is not None and scale.shape[0] != 1
