"""The singular values of a LoRA's changes, and changes rebuilt from the largest of them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.network.lora_weights import LohaModule, LokrModule, LoraModule, NetworkModule

_KERNELS = re.compile(r"(?:_(?:conv1|conv2|in_layers_2|out_layers_3|op|output_blocks_\d_\d_conv)|samplers_0_conv)$")


@dataclass(frozen=True)
class Spectrum:
    """A change (out, in · kh · kw) = left @ diag(values) @ right, values (n,) from the largest down.

    left (out, n), right (n, in · kh · kw); kernel: (kh, kw), () for a linear layer.
    """

    left: Tensor
    values: Tensor
    right: Tensor
    kernel: tuple[int, ...]

    def module(self, dim: int, alpha: float, scale: float) -> LoraModule:
        """The LoRA of the `dim` largest values, whose change is `scale` times theirs at `alpha`."""
        count = min(dim, len(self.values))
        up = self.left[:, :count] * self.values[:count] * (scale * count / alpha)
        down = self.right[:count].reshape(count, -1, *self.kernel)
        ones = (1,) * len(self.kernel)
        return LoraModule(down.contiguous(), up.reshape(*up.shape, *ones).contiguous(), alpha)


def spectrum_of(name: str, module: NetworkModule, *, scaled: bool = True) -> Spectrum:
    """Of a module's change, a DoRA's before its columns get their lengths; not `scaled`: as if alpha were the rank."""
    if isinstance(module, LoraModule):
        factor = module.scale if scaled else 1.0
        up, down = module.up.float().flatten(1), module.down.float().flatten(1)
        return low_rank_spectrum(up * factor, down, tuple(module.down.shape[2:]))
    change = dense_change(name, module)
    left, values, right = torch.linalg.svd(change.flatten(1), full_matrices=False)
    factor = 1.0 if scaled or not module.scale else 1 / module.scale
    return Spectrum(left, values * factor, right, tuple(change.shape[2:]))


def low_rank_spectrum(up: Tensor, down: Tensor, kernel: tuple[int, ...]) -> Spectrum:
    """Of up (out, n) @ down (n, in · kh · kw); what is computed has the size of n."""
    inner = min(up.shape[0], down.shape[1])
    if up.shape[1] >= inner:
        left, values, right = torch.linalg.svd(up @ down, full_matrices=False)
        return Spectrum(left, values, right, kernel)
    outer_left, inner_left = torch.linalg.qr(up)
    outer_right, inner_right = torch.linalg.qr(down.T)
    left, values, right = torch.linalg.svd(inner_left @ inner_right.T, full_matrices=False)
    return Spectrum(outer_left @ left, values, right @ outer_right.T, kernel)


def dense_sides(name: str, module: NetworkModule) -> tuple[int, int]:
    """(out, in · kh · kw) of a module's change."""
    if isinstance(module, LoraModule):
        return module.up.shape[0], module.down[0].numel()
    out, inside, kernel = _whole_shape(name, module)
    return out, inside * math.prod(kernel)


def dense_change(name: str, module: NetworkModule) -> Tensor:
    """The whole change (out, in) or (out, in, kh, kw), whose shape a LoHa's or LoKr's tensors alone do not tell."""
    if isinstance(module, LoraModule):
        return module.change(torch.Size((module.up.shape[0], *module.down.shape[1:])))
    out, inside, kernel = _whole_shape(name, module)
    return module.change(torch.Size((out, inside, *kernel)))


def effective_rank(values: Tensor) -> float:
    """exp of the entropy of the values' shares (Roy & Vetterli 2007); 0 for a change of nothing."""
    total = float(values.sum())
    if total <= 0:
        return 0.0
    shares = values[values > 0] / total
    return float(torch.exp(-(shares * shares.log()).sum()))


def stable_rank(values: Tensor) -> float:
    """‖·‖²_F / ‖·‖²_2; 0 for a change of nothing."""
    return float(values.square().sum() / values[0] ** 2) if len(values) and values[0] > 0 else 0.0


def dims_for(values: Tensor, shares: Sequence[float]) -> list[int]:
    """How many of the largest values hold each share of the energy, the sum of their squares."""
    energy = values.double().square().cumsum(0)
    if not len(energy) or energy[-1] <= 0:
        return [0 for _ in shares]
    return [int(torch.searchsorted(energy, share * energy[-1])) + 1 for share in shares]


def _whole_shape(name: str, module: LohaModule | LokrModule) -> tuple[int, int, tuple[int, ...]]:
    kernel: tuple[int, ...] = (3, 3) if _KERNELS.search(name) else ()
    if isinstance(module, LohaModule):
        if module.t1 is not None:
            return module.w1_a.shape[1], module.w1_b.shape[1], tuple(module.t1.shape[2:])
        return module.w1_a.shape[0], module.w1_b[0].numel() // math.prod(kernel), kernel
    first_out, first_in = _sides(module.w1, module.w1_a, module.w1_b)
    out, inside, kernel = _second_factor(module, kernel)
    return first_out * out, first_in * inside, kernel


def _second_factor(module: LokrModule, kernel: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
    if module.w2 is not None:
        return module.w2.shape[0], module.w2.shape[1], tuple(module.w2.shape[2:])
    assert module.w2_a is not None and module.w2_b is not None
    if module.t2 is not None:
        return module.w2_a.shape[1], module.w2_b.shape[1], tuple(module.t2.shape[2:])
    return module.w2_a.shape[0], module.w2_b[0].numel() // math.prod(kernel), kernel


def _sides(whole: Tensor | None, a: Tensor | None, b: Tensor | None) -> tuple[int, int]:
    if whole is not None:
        return whole.shape[0], whole.shape[1]
    assert a is not None and b is not None
    return a.shape[0], b.shape[1]
