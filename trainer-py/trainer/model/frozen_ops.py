"""Frozen layers as autograd functions that keep no more than the gradient of their input needs."""

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FrozenConv(nn.Conv2d):
    """A convolution (n, c, h, w) that is never trained itself: torch's own would keep its input all the same."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        if input.requires_grad and torch.is_grad_enabled():
            return _Convolution.apply(input, self)
        return F.conv2d(input, self.weight, self.bias, self.stride, self.padding)


class FrozenWeight(Protocol):
    """A layer, or several joined."""

    @property
    def weight(self) -> Tensor: ...

    @property
    def bias(self) -> Tensor | None: ...


def frozen_linear(x: Tensor, layer: FrozenWeight) -> Tensor:
    """`layer` over x (…, in) without keeping its weight, which may be made for the moment."""
    if x.requires_grad and torch.is_grad_enabled():
        return _Linear.apply(x, layer)
    return F.linear(x, layer.weight, layer.bias)


def norm_silu(x: Tensor, norm: nn.GroupNorm) -> Tensor:
    """SiLU of a frozen group norm of x (n, c, h, w); only x is kept, the norm is made again in the backward pass."""
    if x.requires_grad and torch.is_grad_enabled():
        return _NormSilu.apply(x, norm.weight, norm.bias, norm.num_groups, norm.eps)
    return F.silu(F.group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps), inplace=True)


def gated_gelu(x: Tensor) -> Tensor:
    """First half of x (…, 2n) times the exact GELU of the second half; only x is kept."""
    if x.requires_grad and torch.is_grad_enabled():
        return _GatedGelu.apply(x)
    value, gate = x.chunk(2, dim=-1)
    return F.gelu(gate).mul_(value)


def quick_gelu(x: Tensor) -> Tensor:
    """x · σ(1.702 x), of which only x is kept."""
    if x.requires_grad and torch.is_grad_enabled():
        return _QuickGelu.apply(x)
    return F.silu(x * _QUICK, inplace=True).mul_(1 / _QUICK)


_QUICK = 1.702


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: FrozenConv) -> Tensor:  # noqa: ANN401
        ctx.facts = (x.shape, _memory(x), layer)
        return F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        shape, memory, layer = ctx.facts
        # The operator wants an input for its shape and layout only, when no gradient of the weight is asked for.
        if shape == grad.shape:
            like = grad
        else:
            like = torch.empty(shape, dtype=grad.dtype, device=grad.device, memory_format=memory)
        wanted = (True, False, False)
        grad_x, _, _ = torch.ops.aten.convolution_backward(
            grad, like, layer.weight, None, layer.stride, layer.padding, (1, 1), False, (0, 0), 1, wanted
        )
        return grad_x, None


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: FrozenWeight) -> Tensor:  # noqa: ANN401
        ctx.layer = layer
        return F.linear(x, layer.weight, layer.bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        return grad @ ctx.layer.weight, None


class _NormSilu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:  # noqa: ANN401, PLR0913
        ctx.save_for_backward(x, weight, bias)
        ctx.facts = (groups, eps)
        return F.silu(F.group_norm(x, groups, weight, bias, eps), inplace=True)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, weight, bias = ctx.saved_tensors
        groups, eps = ctx.facts
        memory = _memory(x) if x.device.type == "cpu" else torch.contiguous_format
        x, grad = x.contiguous(memory_format=memory), grad.contiguous(memory_format=memory)
        sizes = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3], groups)
        y, mean, rstd = torch.native_group_norm(x, weight, bias, *sizes, eps)
        grad = torch.ops.aten.silu_backward(grad, y)
        wanted = (True, False, False)
        grad_x, _, _ = torch.ops.aten.native_group_norm_backward(grad, x, mean, rstd, weight, *sizes, wanted)
        return grad_x, None, None, None, None


class _GatedGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x)
        value, gate = x.chunk(2, dim=-1)
        return F.gelu(gate).mul_(value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # noqa: ANN401
        (x,) = ctx.saved_tensors
        value, gate = x.chunk(2, dim=-1)
        grad_x = torch.empty_like(x)
        of_value, of_gate = grad_x.chunk(2, dim=-1)
        torch.mul(F.gelu(gate), grad, out=of_value)
        torch.ops.aten.gelu_backward.grad_input(grad * value, gate, grad_input=of_gate)
        return grad_x


class _QuickGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x)
        return F.silu(x * _QUICK, inplace=True).mul_(1 / _QUICK)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # noqa: ANN401
        (x,) = ctx.saved_tensors
        return torch.ops.aten.silu_backward(grad, x * _QUICK)


def _memory(x: Tensor) -> torch.memory_format:
    return torch.channels_last if x.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
