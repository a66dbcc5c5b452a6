"""How two LoRAs differ: in what they say of their making, and in what they change."""

import math
from pathlib import Path
from typing import Any

from trainer.network.lora_names import diffusers_name
from trainer.network.lora_weights import LoraModule, NetworkModule
from trainer.tools.lora_on_disk import LoraOnDisk, read_whole
from trainer.tools.requests import Compare
from trainer.tools.spectrum import dense_change, dense_sides


def compare(request: Compare) -> dict[str, Any]:
    """The metadata keys whose values differ, the modules that one of both lacks, both norms and the angle between.

    cosine: that of both changes as two long vectors, over the modules that both have; null when one is nothing.
    """
    first, second = read_whole(Path(request.first)), read_whole(Path(request.second))
    ours, theirs = _by_name(first), _by_name(second)
    shared = [name for name in ours if name in theirs and _sides(ours, name) == _sides(theirs, name)]
    products = [_products(name, ours[name], theirs[name]) for name in shared]
    one, two, both = (sum(parts) for parts in zip(*products, strict=True)) if products else (0.0, 0.0, 0.0)
    return {
        "files": [str(first.path), str(second.path)],
        "keys": _differing(first.metadata, second.metadata),
        "only_first": sorted(name for name in ours if name not in theirs),
        "only_second": sorted(name for name in theirs if name not in ours),
        "other_shape": sorted(name for name in ours if name in theirs and name not in shared),
        "shared": len(shared),
        "norms": [math.sqrt(one), math.sqrt(two)],
        "cosine": both / math.sqrt(one * two) if one > 0 and two > 0 else None,
    }


def _by_name(file: LoraOnDisk) -> dict[str, NetworkModule]:
    return {diffusers_name(name): module for name, module in file.weights.modules.items()}


def _sides(modules: dict[str, NetworkModule], name: str) -> tuple[int, int]:
    return dense_sides(name, modules[name])


def _differing(first: dict[str, str], second: dict[str, str]) -> list[dict[str, str | None]]:
    keys = dict.fromkeys([*first, *second])
    return [
        {"key": key, "first": first.get(key), "second": second.get(key)}
        for key in sorted(keys)
        if first.get(key) != second.get(key)
    ]


def _products(name: str, first: NetworkModule, second: NetworkModule) -> tuple[float, float, float]:
    if isinstance(first, LoraModule) and isinstance(second, LoraModule):
        return _low_rank(first, first), _low_rank(second, second), _low_rank(first, second)
    a, b = dense_change(name, first).flatten().double(), dense_change(name, second).flatten().double()
    return float(a @ a), float(b @ b), float(a @ b)


def _low_rank(first: LoraModule, second: LoraModule) -> float:
    # ⟨U₁D₁, U₂D₂⟩ = Σ (U₁ᵀU₂) ∘ (D₁D₂ᵀ)
    ups = first.up.double().flatten(1).T @ second.up.double().flatten(1)
    downs = first.down.double().flatten(1) @ second.down.double().flatten(1).T
    return float((ups * downs).sum()) * first.scale * second.scale
