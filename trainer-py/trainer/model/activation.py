"""Activations between two frozen layers, whose result need not be kept for the backward pass."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.model.frozen_ops import gated_gelu, quick_gelu

Again = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Activation:
    """apply: for autograd; again: the same without, and what `gradient` (x, that, gradient of the result) needs."""

    apply: Callable[[Tensor], Tensor]
    again: Callable[[Tensor], Again]
    gradient: Callable[[Tensor, Tensor, Tensor], Tensor]


def linear_after(layer: nn.Linear, activation: Activation, x: Tensor) -> Tensor:
    """`layer` over the activated x; what is hooked in as the layer's `after` may do both at once, or give None."""
    hook = layer.__dict__.get("after")
    found: Tensor | None = hook(activation, x) if hook else None
    return layer(activation.apply(x)) if found is None else found


def _gated_again(x: Tensor) -> Again:
    value, gate = x.chunk(2, dim=-1)
    curved = F.gelu(gate)
    return value * curved, curved


def _gated_gradient(x: Tensor, curved: Tensor, grad: Tensor) -> Tensor:
    value, gate = x.chunk(2, dim=-1)
    grad_x = torch.empty_like(x)
    of_value, of_gate = grad_x.chunk(2, dim=-1)
    torch.mul(curved, grad, out=of_value)
    torch.ops.aten.gelu_backward.grad_input(grad * value, gate, grad_input=of_gate)
    return grad_x


def _quick_again(x: Tensor) -> Again:
    scaled = x * _QUICK
    return F.silu(scaled).mul_(1 / _QUICK), scaled


def _quick_gradient(x: Tensor, scaled: Tensor, grad: Tensor) -> Tensor:
    return torch.ops.aten.silu_backward(grad, scaled)


_QUICK = 1.702

GATED_GELU = Activation(gated_gelu, _gated_again, _gated_gradient)
QUICK_GELU = Activation(quick_gelu, _quick_again, _quick_gradient)
GELU = Activation(F.gelu, lambda x: (F.gelu(x), x), lambda x, _, grad: torch.ops.aten.gelu_backward(grad, x))
