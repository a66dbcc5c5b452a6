"""A LoRA of smaller dims whose change is the nearest to the old one's (kohya's `resize_lora.py`)."""

import math
from typing import Any

import torch
from torch import Tensor

from trainer.failure import Failure
from trainer.network.lora_weights import LoraModule, LoraWeights, NetworkModule
from trainer.tools.lora_on_disk import read_whole, write_lora
from trainer.tools.requests import Resize
from trainer.tools.spectrum import Spectrum, spectrum_of

_ZERO = 1e-6


def resize(request: Resize) -> dict[str, Any]:
    """Write the resized LoRA; what was kept of each module.

    Dims: `dim` (`conv_dim` for kernels), or per module by the method: the largest value is at most `target` times the
    smallest one kept (sv_ratio), or a share `target` of the values' norm (sv_fro) or sum (sv_cumulative) is kept, up to
    `dim`. A module is never given more dims than it has. LoHa and LoKr become LoRA; a DoRA keeps its lengths.
    """
    old = read_whole(request.path)
    rows: list[dict[str, Any]] = []
    modules: dict[str, LoraModule] = {}
    for name, module in old.weights.modules.items():
        spectrum = spectrum_of(name, module, scaled=False)
        most = request.dim if math.prod(spectrum.kernel) <= 1 else request.conv_dim or request.dim
        dim = _dim(spectrum, most, request)
        rows.append({"name": name, "from_dim": module.rank, "dim": dim, **_kept(spectrum.values, dim)})
        modules[name] = _resized(spectrum, module, dim)
    weights: dict[str, NetworkModule] = dict(modules)
    written = write_lora(
        request.out_path,
        LoraWeights(weights),
        {**old.metadata, **_facts(request, modules)},
        note=_note(request, rows),
        precision=request.precision or old.precision,
    )
    shares = [row["energy_kept"] for row in rows if row["energy_kept"] is not None]
    return {**written, "modules": rows, "mean_energy_kept": sum(shares) / len(shares) if shares else None}


def dim_by(method: str, values: Tensor, target: float, sides: int) -> int:
    """The dim that a method of kohya's gives for singular values of a matrix whose smaller side is `sides`."""
    if method == "sv_ratio":
        index = int((values > values[0] / target).sum())
    elif method == "sv_cumulative":
        index = int(torch.searchsorted(values.cumsum(0) / values.sum(), target)) + 1
    else:
        energy = values.square()
        index = int(torch.searchsorted(energy.cumsum(0) / energy.sum(), target**2)) + 1
    return max(1, min(index, sides - 1)) + 1


def _dim(spectrum: Spectrum, most: int, request: Resize) -> int:
    values = spectrum.values
    if not len(values) or values[0] <= _ZERO:
        return 1
    dim = most
    if request.method != "fixed":
        sides = min(spectrum.left.shape[0], spectrum.right.shape[1])
        dim = min(most, dim_by(request.method, values, request.target, sides))
    return max(1, min(dim, len(values)))


def _resized(spectrum: Spectrum, module: NetworkModule, dim: int) -> LoraModule:
    scale = module.scale
    if scale == 0:
        raise Failure("bad_request", "Expected an alpha above 0 in the LoRA, found 0; it changes nothing as it is.")
    new = spectrum.module(dim, scale * dim, scale)
    return LoraModule(new.down, new.up, new.alpha, module.dora_scale)


def _kept(values: Tensor, dim: int) -> dict[str, float | None]:
    energy, total = values.square().sum(), values.sum()
    if not total > 0:
        return {"energy_kept": None, "sum_kept": None}
    return {
        "energy_kept": float((values[:dim].square().sum() / energy).sqrt()),
        "sum_kept": float(values[:dim].sum() / total),
    }


def _facts(request: Resize, modules: dict[str, LoraModule]) -> dict[str, str]:
    dims = {(module.rank, module.alpha) for module in modules.values()}
    if len(dims) == 1:
        dim, alpha = dims.pop()
        return {"ss_network_dim": str(dim), "ss_network_alpha": str(alpha)}
    if request.method == "fixed":
        linear = {(module.rank, module.alpha) for module in modules.values() if module.rank == request.dim}
        alphas = {alpha for _, alpha in linear}
        alpha_text = str(alphas.pop()) if len(alphas) == 1 else "Dynamic"
        return {"ss_network_dim": str(request.dim), "ss_network_alpha": alpha_text}
    return {"ss_network_dim": "Dynamic", "ss_network_alpha": "Dynamic"}


def _note(request: Resize, rows: list[dict[str, Any]]) -> str:
    old = max(row["from_dim"] for row in rows)
    if request.method != "fixed":
        return f"Dynamic resize with {request.method}: {request.target:g} from {old}"
    conv = f" (conv: {request.conv_dim})" if request.conv_dim and request.conv_dim != request.dim else ""
    return f"dimension is resized from {old} to {request.dim}{conv}"
