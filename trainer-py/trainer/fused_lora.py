"""A frozen layer plus its LoRA as one autograd function."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Drop = Callable[[int, int, int], Tensor]
"""(samples, positions, rank) → factors of that shape for the rank-sized product, 0 where it is dropped."""


class FusedLora(torch.autograd.Function):
    """y = x Wᵀ + b + scale · (x Aᵀ) Bᵀ with only x and the rank-sized product kept for backward.

    x (…, in), weight (out, in), bias (out) or None, down (rank, in) and up (out, rank) float32 masters that receive
    the gradients, down_low and up_low their values in x's type. The scale is folded into the rank-sized tensors.
    """

    @staticmethod
    def forward(  # noqa: PLR0913
        ctx: Any,  # noqa: ANN401
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        down_low: Tensor,
        up_low: Tensor,
        scale: float,
        drop: Drop | None = None,
    ) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])  # (n, in)
        hidden = (rows @ down_low.T).mul_(scale)  # (n, rank)
        mask = None
        if drop is not None:
            mask = drop(x.shape[0], rows.shape[0] // x.shape[0], hidden.shape[1]).view_as(hidden)
            hidden.mul_(mask)
        y = F.linear(rows, weight, bias).addmm_(hidden, up_low.T)  # (n, out)
        ctx.save_for_backward(rows, hidden, weight, down_low, up_low, mask)
        ctx.scale, ctx.shape = scale, x.shape
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        rows, hidden, weight, down_low, up_low, mask = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])  # (n, out)
        grad_hidden = (grad @ up_low).mul_(ctx.scale)  # (n, rank)
        if mask is not None:
            grad_hidden.mul_(mask)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ weight).addmm_(grad_hidden, down_low).view(ctx.shape)
        grad_down = (grad_hidden.T @ rows).to(torch.promote_types(rows.dtype, torch.float32))
        grad_up = (grad.T @ hidden).to(grad_down.dtype)
        return grad_x, None, None, grad_down, grad_up, None, None, None, None


class FusedConvLora(torch.autograd.Function):
    """y = conv(x, W, b) + scale · (conv(x, A)) Bᵀ over channels, with only x and the rank-sized product kept.

    x (B, in, h, w), module a Conv2d that is not trained, down (rank, in, kh, kw) and up (out, rank) float32 masters,
    down_low and up_low their values in x's type.
    """

    @staticmethod
    def forward(  # noqa: PLR0913
        ctx: Any,  # noqa: ANN401
        x: Tensor,
        module: nn.Conv2d,
        down: Tensor,
        up: Tensor,
        down_low: Tensor,
        up_low: Tensor,
        scale: float,
        drop: Drop | None = None,
    ) -> Tensor:
        y = _convolve(module, x, module.weight, module.bias)
        hidden = _convolve(module, x, down_low, None).mul_(scale)  # (B, rank, h, w)
        mask = None
        if drop is not None:
            batch, rank, height, width = hidden.shape
            mask = drop(batch, height * width, rank).transpose(1, 2).reshape(hidden.shape)
            hidden.mul_(mask)
        y = _add_up(y, hidden, up_low)
        ctx.save_for_backward(x, hidden, module.weight, down_low, up_low, mask)
        ctx.scale, ctx.module = scale, module
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, hidden, weight, down_low, up_low, mask = ctx.saved_tensors
        grad_hidden = F.conv2d(grad, up_low.T[:, :, None, None]).mul_(ctx.scale)
        if mask is not None:
            grad_hidden.mul_(mask)
        needs_x = ctx.needs_input_grad[0]
        from_down, grad_down, _ = convolution_backward(ctx.module, grad_hidden, x, down_low, (needs_x, True))
        grad_x = None
        if needs_x:
            grad_x = convolution_backward(ctx.module, grad, x, weight, (True, False))[0]
            grad_x.add_(from_down)
        kind = torch.promote_types(x.dtype, torch.float32)
        # A batch's products are summed in full precision.
        grad_up = (grad.flatten(2) @ hidden.flatten(2).transpose(1, 2)).to(kind).sum(0)
        return grad_x, None, grad_down.to(kind), grad_up, None, None, None, None


def convolution_backward(
    module: nn.Conv2d, grad: Tensor, x: Tensor, weight: Tensor, wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients to x and to `weight` of a convolution with `module`'s stride and padding; what isn't wanted is None."""
    geometry = (module.stride, module.padding, module.dilation, False, (0, 0), module.groups)
    return torch.ops.aten.convolution_backward(grad, x, weight, None, *geometry, (*wanted, False))


def _convolve(module: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return F.conv2d(x, weight, bias, module.stride, module.padding, module.dilation, module.groups)


def _add_up(y: Tensor, hidden: Tensor, up: Tensor) -> Tensor:
    # In place over whichever memory layout the convolution has chosen.
    if y.is_contiguous(memory_format=torch.channels_last):
        rows = y.permute(0, 2, 3, 1).view(-1, y.shape[1])
        rows.addmm_(hidden.permute(0, 2, 3, 1).reshape(-1, hidden.shape[1]), up.T)
        return y
    whole = y.contiguous()
    whole.flatten(2).baddbmm_(up.expand(y.shape[0], *up.shape), hidden.flatten(2))
    return whole
