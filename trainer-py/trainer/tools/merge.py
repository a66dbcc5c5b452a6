"""Several LoRAs as one."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.failure import Failure
from trainer.network.lora_names import diffusers_name
from trainer.network.lora_weights import LoraModule, LoraWeights, NetworkModule
from trainer.tools.lora_on_disk import LoraOnDisk, read_whole, write_lora
from trainer.tools.requests import Merge
from trainer.tools.spectrum import Spectrum, dense_change, dense_sides, low_rank_spectrum

Share = tuple[NetworkModule, float]
_OF_ONE_EPOCH = ("ss_session_id", "ss_epoch", "ss_steps")


def merge(request: Merge) -> dict[str, Any]:
    """Write Σ weight · LoRA: exact with the ranks of all behind one another, or nearest to it at `dim`.

    Raises Failure `bad_request` for a DoRA, whose change no sum of changes is, and for LoHa or LoKr without a dim.
    """
    files = [read_whole(Path(file)) for file in request.files]
    _check(files, request)
    shares: dict[str, list[Share]] = {}
    names: dict[str, str] = {}
    for file, weight in zip(files, request.weights, strict=True):
        for name, module in file.weights.modules.items():
            common = diffusers_name(name)
            names.setdefault(common, name)
            shares.setdefault(common, []).append((module, weight))
    modules: dict[str, NetworkModule] = {}
    rows: list[dict[str, Any]] = []
    for common, parts in shares.items():
        name = names[common]
        _check_sides(name, parts)
        modules[name], kept = _sum(name, parts, request)
        rows.append({"name": name, "dim": modules[name].rank, "energy_kept": kept})
    metadata = {**_shared_metadata(files), **_facts(files, modules)}
    note = request.note or _note(files, request.weights)
    precision = request.precision or files[0].precision
    written = write_lora(Path(request.out), LoraWeights(modules), metadata, note=note, precision=precision)
    shares_kept = [row["energy_kept"] for row in rows]
    return {**written, "modules": rows, "mean_energy_kept": sum(shares_kept) / len(shares_kept)}


def _check(files: Sequence[LoraOnDisk], request: Merge) -> None:
    for file in files:
        kinds = {module.kind for module in file.weights.modules.values()}
        if any(module.dora_scale is not None for module in file.weights.modules.values()):
            raise Failure(
                "bad_request",
                f"Expected networks whose changes can be added, but {file.path.name} is a DoRA, whose change depends "
                "on the base model's weights; merge it into a checkpoint instead.",
            )
        if not request.dim and kinds - {"LoRA"}:
            raise Failure(
                "bad_request",
                f"Expected a dim, because {file.path.name} is a {min(kinds - {'LoRA'})}, which is no product of two "
                "matrices of its rank; give the dim of the LoRA that it becomes.",
            )


def _check_sides(name: str, parts: Sequence[Share]) -> None:
    sides = {tuple(dense_sides(name, module)) for module, _ in parts}
    if len(sides) > 1:
        found = " and ".join(str(side) for side in sorted(sides))
        raise Failure(
            "lora_corrupt",
            f"Expected LoRAs of one kind of base model, but {name} has the sides {found} in them; merge others.",
        )


def _sum(name: str, parts: Sequence[Share], request: Merge) -> tuple[LoraModule, float]:
    stacked = _stacked(parts) if all(isinstance(module, LoraModule) for module, _ in parts) else None
    if stacked is not None and not request.dim:
        up, down, kernel = stacked
        ones = (1,) * len(kernel)
        return LoraModule(down.view(len(down), -1, *kernel), up.view(*up.shape, *ones), float(len(down))), 1.0
    spectrum = _dense(name, parts) if stacked is None else low_rank_spectrum(*stacked)
    most = request.dim if math.prod(spectrum.kernel) <= 1 else request.conv_dim or request.dim
    dim = max(1, min(most, len(spectrum.values)))
    total = float(spectrum.values.square().sum())
    kept = math.sqrt(float(spectrum.values[:dim].square().sum()) / total) if total > 0 else 1.0
    return spectrum.module(dim, float(dim), 1.0), kept


def _stacked(parts: Sequence[Share]) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    ups, downs, kernels = [], [], []
    for module, weight in parts:
        assert isinstance(module, LoraModule)
        factor = weight * module.scale
        # Half of the factor on each side keeps both in the range of a narrow precision.
        half = math.sqrt(abs(factor))
        ups.append(module.up.float().flatten(1) * math.copysign(half, factor))
        downs.append(module.down.float().flatten(1) * half)
        kernels.append(tuple(module.down.shape[2:]))
    # One program writes a 1×1 convolution with two axes, another with four.
    return torch.cat(ups, 1), torch.cat(downs), max(kernels, key=len)


def _dense(name: str, parts: Sequence[Share]) -> Spectrum:
    changes = [dense_change(name, module) * weight for module, weight in parts]
    whole = torch.stack([change.flatten(1) for change in changes]).sum(0)
    kernel = max((tuple(change.shape[2:]) for change in changes), key=len)
    left, values, right = torch.linalg.svd(whole, full_matrices=False)
    return Spectrum(left, values, right, kernel)


def _shared_metadata(files: Sequence[LoraOnDisk]) -> dict[str, str]:
    if len(files) == 1:
        return files[0].metadata
    # A sum is no epoch of any run.
    return {key: value for key, value in files[0].metadata.items() if key not in _OF_ONE_EPOCH}


def _facts(files: Sequence[LoraOnDisk], modules: dict[str, NetworkModule]) -> dict[str, str]:
    # As kohya counts it, the dim of a LoCon is that of its linear layers.
    dims = {module.rank for module in modules.values() if not _has_kernel(module)} or {
        module.rank for module in modules.values()
    }
    text = str(dims.pop()) if len(dims) == 1 else "Dynamic"
    return {
        "ss_network_module": "networks.lora",
        "ss_network_dim": text,
        "ss_network_alpha": text if text == "Dynamic" else str(float(text)),
        "modelspec.merged_from": ", ".join(file.path.stem for file in files),
        "ss_merged_from": json.dumps([file.metadata.get("sshs_model_hash", "") for file in files]),
    }


def _has_kernel(module: NetworkModule) -> bool:
    return isinstance(module, LoraModule) and math.prod(module.down.shape[2:]) > 1


def _note(files: Sequence[LoraOnDisk], weights: Sequence[float]) -> str:
    parts = " + ".join(f"{weight:g} × {file.path.stem}" for file, weight in zip(files, weights, strict=True))
    return f"merged from {parts}"
