"""The trained tensors of one layer for each kind of network: their shapes, their first values, their names in files."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.failure import Failure
from trainer.network.factorization import factorization
from trainer.network.lora_weights import LohaModule, LokrModule, LoraModule, NetworkModule
from trainer.network.merged_weight import column_norm
from trainer.network.module_fit import check_fit
from trainer.network.module_spec import ModuleSpec


@dataclass(frozen=True)
class Part:
    """One tensor: `role` is the end of its key in files; `start` is uniform, normal, small, zeros or columns."""

    role: str
    shape: tuple[int, ...]
    start: str

    def first_value(self, weight: Tensor, source: torch.Generator) -> Tensor:
        """kohya's and LyCORIS' start, in float32 on the CPU; the first change of the layer is none."""
        if self.start == "columns":
            return column_norm(weight.detach().float().cpu(), rows=self.shape[0] == weight.shape[0] != 1)
        if self.start == "zeros":
            return torch.zeros(self.shape)
        if self.start == "uniform":
            bound = 1 / math.sqrt(math.prod(self.shape[1:]))  # kaiming_uniform with a = √5
            return (torch.rand(self.shape, generator=source) * 2 - 1) * bound
        return torch.randn(self.shape, generator=source) * (0.1 if self.start == "small" else 1.0)


@dataclass(frozen=True)
class Layout:
    """kind: lora, dora, loha or lokr; `scale` multiplies the change."""

    kind: str
    alpha: float
    scale: float
    parts: tuple[Part, ...]


def layout_for(spec: ModuleSpec, weight: Tensor) -> Layout:
    """The tensors of a new network over a layer of `weight` (out, in) or (out, in, kh, kw)."""
    scale = spec.alpha / spec.dim
    if spec.kind == "loha":
        return Layout(spec.kind, spec.alpha, scale, _loha(spec.dim, weight))
    if spec.kind == "lokr":
        parts = _lokr(spec, weight)
        if all(part.role in ("lokr_w1", "lokr_w2") for part in parts):
            return Layout(spec.kind, float(spec.dim), 1.0, parts)  # nothing of the rank is left in it
        return Layout(spec.kind, spec.alpha, scale, parts)
    parts = _pair(spec.dim, weight)
    if spec.kind == "dora":
        parts += (Part("dora_scale", (1, weight.shape[1], *(1 for _ in weight.shape[2:])), "columns"),)
    return Layout(spec.kind, spec.alpha, scale, parts)


def layout_of(name: str, module: NetworkModule, weight: Tensor) -> Layout:
    """The tensors of a file's module over the same layer. Raises Failure `lora_corrupt` when they don't fit it."""
    check_fit(name, module, weight)
    tensors = module.tensors()
    kind = module.kind.lower()
    odd = [role for role in tensors if role.endswith(("_t1", "_t2")) or (role == "dora_scale" and kind != "dora")]
    if odd:
        raise Failure(
            "lora_corrupt",
            f"Expected a network that can be trained on, but {name} has {odd[0]}, which is only drawn with; "
            "choose another networkWeights.",
        )
    parts = tuple(Part(role, _leaf_shape(role, tensor, weight), "zeros") for role, tensor in tensors.items())
    return Layout(kind, module.alpha, module.scale, parts)


def module_of(layout: Layout, tensors: Mapping[str, Tensor], ndim: int) -> NetworkModule:
    """`tensors` by their roles as a module with the shapes of files, for a weight of `ndim` axes."""
    if layout.kind in ("lora", "dora"):
        down, up = tensors["lora_down.weight"], tensors["lora_up.weight"]
        ones = (1,) * (ndim - 2)
        down = down if down.ndim == ndim else down.view(*down.shape, *ones)
        return LoraModule(down, up.view(*up.shape, *ones), layout.alpha, tensors.get("dora_scale"))
    plain = {role.partition("_")[2]: tensor for role, tensor in tensors.items()}
    if layout.kind == "loha":
        return LohaModule(**plain, alpha=layout.alpha)
    return LokrModule(**plain, alpha=layout.alpha)


def _pair(dim: int, weight: Tensor) -> tuple[Part, ...]:
    out, inside, *kernel = weight.shape
    kernel = kernel if math.prod(kernel) > 1 else []
    return Part("lora_down.weight", (dim, inside, *kernel), "uniform"), Part("lora_up.weight", (out, dim), "zeros")


def _loha(dim: int, weight: Tensor) -> tuple[Part, ...]:
    out, inside = weight.shape[0], weight[0].numel()
    return (
        Part("hada_w1_a", (out, dim), "small"),
        Part("hada_w1_b", (dim, inside), "normal"),
        Part("hada_w2_a", (out, dim), "zeros"),
        Part("hada_w2_b", (dim, inside), "normal"),
    )


def _lokr(spec: ModuleSpec, weight: Tensor) -> tuple[Part, ...]:
    dim, kernel = spec.dim, weight.shape[2:]
    small_out, large_out = factorization(weight.shape[0], spec.factor)
    small_in, large_in = factorization(weight.shape[1], spec.factor)
    if spec.decompose_both and dim < max(small_out, small_in) / 2:
        first = Part("lokr_w1_a", (small_out, dim), "uniform"), Part("lokr_w1_b", (dim, small_in), "uniform")
    else:
        first = (Part("lokr_w1", (small_out, small_in), "uniform"),)  # type: ignore[assignment]
    if dim < max(large_out, large_in) / 2:
        inside = large_in * math.prod(kernel)
        second = Part("lokr_w2_a", (large_out, dim), "uniform"), Part("lokr_w2_b", (dim, inside), "zeros")
    else:
        second = (Part("lokr_w2", (large_out, large_in, *kernel), "zeros"),)  # type: ignore[assignment]
    return first + second


def _leaf_shape(role: str, tensor: Tensor, weight: Tensor) -> tuple[int, ...]:
    has_kernel = weight.ndim == 4 and math.prod(weight.shape[2:]) > 1
    if role == "lora_up.weight" or (role == "lora_down.weight" and not has_kernel):
        return tensor.shape[0], tensor[0].numel()
    return tuple(tensor.shape)
